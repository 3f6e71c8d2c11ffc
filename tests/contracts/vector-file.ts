import { readFileSync } from "node:fs";
import { fl, roundTiesToEven } from "../../src/reference/rounding.js";

/** A number of a vector file; what JSON cannot hold is a string. */
export type VectorNumber = number | "NaN" | "Infinity" | "-Infinity";

/** What all cases have. */
export interface VectorCase {
  readonly name: string;
  readonly platform_dependent?: boolean;
}

/** The cases of tests/vectors/<name>.json, those whose result depends on the platform apart. */
export function readVectors<T extends VectorCase>(name: string): { cases: T[]; platformDependent: T[] } {
  const file = new URL(`../vectors/${name}.json`, import.meta.url);
  const { cases }: { cases: T[] } = JSON.parse(readFileSync(file, "utf8"));
  return {
    cases: cases.filter((one) => one.platform_dependent !== true),
    platformDependent: cases.filter((one) => one.platform_dependent === true),
  };
}

/** Numbers of a file as float32. */
export function floats(values: readonly VectorNumber[]): Float32Array {
  return Float32Array.from(values, Number);
}

/**
 * How many codes apart x lands by a division and by PyTorch's multiplication with fl(1/scale): 0, or 1 at a near-tie,
 * where x/scale lies within a float32 rounding of a half.
 */
export function nearTie(x: number, scale: number): number {
  const s = fl(scale);
  return Math.abs(roundTiesToEven(fl(x / s)) - roundTiesToEven(fl(x * fl(1 / s))));
}

/** Distance of two float32 of one sign, counted in float32 steps. */
export function ulpsApart(a: number, b: number): number {
  const [i, j] = new Int32Array(Float32Array.of(a, b).buffer);
  return Math.abs(i - j);
}
