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

/** Requantization that divides by 16, 24, 32, … per channel, so that most sums lie inside of the grid. */
export function sixteenths(channels: number, zeroPoint = -5): Requantization {
  return {
    rounding: "float32",
    scale: Float32Array.from({ length: channels }, (_, c) => 1 / (16 + 8 * c)),
    zeroPoint,
    qmin: -100,
    qmax: 110,
  };
}
