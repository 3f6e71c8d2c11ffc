/**
 * Sizes of a 2D convolution or pooling, NHWC.
 *
 * Output (r, q) at tap (i, j) reads input (r · strideHeight + i · dilationHeight − padTop,
 * q · strideWidth + j · dilationWidth − padLeft) where that lies inside of the image; padding holds zeros, and takes no part
 * in a maximum. What pads at the bottom and on the right follows from the sizes.
 */
export interface ConvGeometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Depthwise: inChannels · multiplier. Pooling: inChannels. */
  readonly outChannels: number;
  /** Of a pooling: its window. */
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Names of the sizes, in the order of the kernels' i32 block. */
export const GEOMETRY_FIELDS = [
  "batch",
  "inHeight",
  "inWidth",
  "inChannels",
  "outHeight",
  "outWidth",
  "outChannels",
  "kernelHeight",
  "kernelWidth",
  "strideHeight",
  "strideWidth",
  "dilationHeight",
  "dilationWidth",
  "padTop",
  "padLeft",
] as const satisfies readonly (keyof ConvGeometry)[];

const MAY_BE_ZERO: ReadonlySet<string> = new Set(["batch", "padTop", "padLeft"]);

/** Checks that all sizes are integers ≥ 1 (batch and padding ≥ 0); throws RangeError naming the size. */
export function checkGeometry(where: string, geometry: ConvGeometry): void {
  for (const name of GEOMETRY_FIELDS) {
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    const value = geometry[name];
    if (!Number.isInteger(value) || value < least) {
      throw new RangeError(`${where}: expected an integer ${name} ≥ ${least}, got ${value}`);
    }
  }
}

/** Number of elements of the input. */
export function inputSize({ batch, inHeight, inWidth, inChannels }: ConvGeometry): number {
  return batch * inHeight * inWidth * inChannels;
}

/** Number of elements of the output. */
export function outputSize({ batch, outHeight, outWidth, outChannels }: ConvGeometry): number {
  return batch * outHeight * outWidth * outChannels;
}

/** Checks the geometry of a depthwise convolution; returns its multiplier. Throws RangeError. */
export function checkMultiplier(where: string, geometry: ConvGeometry): number {
  checkGeometry(where, geometry);
  const multiplier = geometry.outChannels / geometry.inChannels;
  if (!Number.isInteger(multiplier)) {
    throw new RangeError(
      `${where}: expected outChannels to be a multiple of the ${geometry.inChannels} inChannels, got ${geometry.outChannels}`,
    );
  }
  return multiplier;
}
