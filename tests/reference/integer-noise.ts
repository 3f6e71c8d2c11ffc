import type { Requantization } from "../../src/reference/requantize.js";
import { noise } from "../contracts/geometries.js";

/** Codes −128…127, the same for the same seed. */
export function noisyCodes(length: number, seed: number): Int8Array {
  return Int8Array.from(noise(length, seed), (value) => Math.round(value * 127.5 - 0.5));
}

/** Requantization that adds a zero point and saturates, and nothing else: sums come out as they are. */
export function asTheyAre(channels: number, zeroPoint = 0): Requantization {
  return {
    rounding: "once",
    multiplier: new Int32Array(channels).fill(2 ** 30),
    shift: new Int32Array(channels).fill(-1),
    zeroPoint,
    qmin: -128,
    qmax: 127,
  };
}

/** Requantization under which most sums of `depth` products of noisy codes lie inside of the grid. */
export function spread(channels: number, depth: number): Requantization {
  return {
    rounding: "float32",
    scale: Float32Array.from({ length: channels }, (_, c) => 1 / ((110 + 20 * c) * Math.sqrt(depth))),
    zeroPoint: -5,
    qmin: -100,
    qmax: 110,
  };
}

/** How much of the codes lies inside of the bounds: where all saturate, a test shows nothing. */
export function shareInside(codes: Int8Array, { qmin, qmax }: Requantization): number {
  return codes.filter((q) => q > qmin && q < qmax).length / codes.length;
}
