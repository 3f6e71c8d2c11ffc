import type { ConvGeometry } from "../../src/core/conv-geometry.js";

/** What a convolution or pooling is told; the output's sizes follow. */
export interface GeometryOptions {
  readonly batch?: number;
  /** Height, width, channels. */
  readonly input: readonly [number, number, number];
  readonly kernel: readonly [number, number];
  readonly outChannels: number;
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  /** TensorFlow's rules, or top, bottom, left, right. */
  readonly pad?: "same" | "valid" | readonly [number, number, number, number];
}

export function geometryOf(options: GeometryOptions): ConvGeometry {
  const { batch = 2, input, kernel, outChannels, strides = [1, 1], dilations = [1, 1], pad = "same" } = options;
  const axis = (i: 0 | 1): { out: number; before: number } => {
    const reach = (kernel[i] - 1) * dilations[i] + 1;
    if (pad === "same") {
      const out = Math.ceil(input[i] / strides[i]);
      return { out, before: Math.max(0, (out - 1) * strides[i] + reach - input[i]) >> 1 };
    }
    const [before, after] = pad === "valid" ? [0, 0] : [pad[2 * i], pad[2 * i + 1]];
    return { out: Math.floor((input[i] + before + after - reach) / strides[i]) + 1, before };
  };
  const [rows, columns] = [axis(0), axis(1)];
  return {
    batch,
    inHeight: input[0],
    inWidth: input[1],
    inChannels: input[2],
    outHeight: rows.out,
    outWidth: columns.out,
    outChannels,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: strides[0],
    strideWidth: strides[1],
    dilationHeight: dilations[0],
    dilationWidth: dilations[1],
    padTop: rows.before,
    padLeft: columns.before,
  };
}

/** Channel counts below, at and above the kernels' vector and tile widths. */
export const CHANNELS = [1, 3, 4, 5, 8, 12, 17] as const;

/** Windows in all ways of lying over an image: without channels. */
export const WINDOWS: readonly Omit<GeometryOptions, "outChannels" | "input">[] = [
  { kernel: [3, 3] },
  { kernel: [3, 3], pad: "valid" },
  { kernel: [1, 1] },
  { kernel: [3, 3], strides: [2, 2] },
  { kernel: [3, 2], strides: [2, 3], pad: "valid" },
  { kernel: [2, 5], strides: [1, 2] },
  { kernel: [1, 1], strides: [2, 2] },
  { kernel: [2, 2], strides: [3, 3], pad: "valid" },
  { kernel: [3, 3], dilations: [2, 2] },
  { kernel: [2, 3], dilations: [3, 2], pad: "valid" },
  { kernel: [3, 3], strides: [2, 1], dilations: [1, 2] },
  { kernel: [3, 3], pad: [2, 0, 1, 3] },
  { kernel: [4, 4], pad: [3, 3, 3, 3], strides: [2, 2] },
  { kernel: [7, 7] },
];

/** An image smaller than most windows, odd sizes, one wide enough for several tiles. */
export const IMAGES = [
  [5, 4],
  [9, 8],
  [7, 13],
] as const;

/** Text that names a geometry in a failure. */
export function nameOf(geometry: ConvGeometry): string {
  return Object.entries(geometry)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

/** Floats in (−1, 1) with all mantissa bits in use, the same for the same seed. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.999;
  });
}

/** The same, but few different values, so that there are many ties. */
export function steps(length: number, seed: number): Float32Array {
  return noise(length, seed).map((value) => Math.round(value * 2));
}
