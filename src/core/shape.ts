/** Sizes of a tensor's dimensions, outermost first; row-major. */
export type Shape = readonly number[];

/** How an axis cuts a row-major tensor: element i belongs to channel ⌊i / inner⌋ mod channels. */
export interface ChannelView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** `[1, 28, 28, 1]`, as errors and tables print shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Number of elements; 1 for a scalar's `[]`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Checks that `shape` is a list of non-negative integers whose product is `length`; throws RangeError. */
export function checkShape(where: string, shape: Shape, length: number): void {
  if (!Array.isArray(shape) || !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new TypeError(`${where}: expected a shape of non-negative integers, got ${JSON.stringify(shape)}`);
  }
  if (sizeOf(shape) !== length) {
    throw new RangeError(`${where}: expected ${sizeOf(shape)} elements for shape ${formatShape(shape)}, got ${length}`);
  }
}

/** The axis as a non-negative number; −1 is the last. Throws RangeError. */
export function resolveAxis(where: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new RangeError(`${where}: expected an axis in [${-rank}, ${rank - 1}] for rank ${rank}, got ${axis}`);
  }
  return resolved;
}

/** The view of `shape` along `axis`: shape [3, 3, 16, 32], axis 3 → outer 144, channels 32, inner 1. */
export function channelView(shape: Shape, axis: number): ChannelView {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    channels: shape[axis],
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

/** The view that makes the whole tensor one channel. */
export function tensorView(length: number): ChannelView {
  return { outer: 1, channels: 1, inner: length };
}
