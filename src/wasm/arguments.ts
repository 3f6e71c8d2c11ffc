import { type Codes, codesFor, codesTypeOf, type Grid } from "../core/grid.js";
import type { KernelArray } from "./blocks.js";

/** Where the result goes. */
export interface OutOption {
  /** A Float32Array as long as the input; may be the input itself. */
  readonly out?: Float32Array;
}

/** Checks that x is a Float32Array; throws TypeError naming the argument. */
export function checkFloats(where: string, name: string, x: unknown): asserts x is Float32Array {
  if (!(x instanceof Float32Array)) {
    throw new TypeError(`${where}: expected ${name} to be a Float32Array, got ${Object.prototype.toString.call(x)}`);
  }
}

/** Checks that q holds codes: an Int8Array, Uint8Array, Int16Array or Uint16Array; throws TypeError. */
export function checkCodes(where: string, name: string, q: unknown): asserts q is Codes {
  const codes =
    q instanceof Int8Array || q instanceof Uint8Array || q instanceof Int16Array || q instanceof Uint16Array;
  if (!codes) {
    throw new TypeError(
      `${where}: expected ${name} to be an Int8Array, Uint8Array, Int16Array or Uint16Array, got ${Object.prototype.toString.call(q)}`,
    );
  }
}

/** Checks that an array has `length` elements; throws RangeError. */
export function checkLength(where: string, name: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) {
    throw new RangeError(`${where}: expected ${name} of ${length} elements, got ${array.length}`);
  }
}

/** The float output: `out` when given and of the right kind and length, else a fresh array. */
export function floatOutput(where: string, out: Float32Array | undefined, length: number): Float32Array {
  if (out === undefined) return new Float32Array(length);
  checkFloats(where, "out", out);
  checkLength(where, "out", out, length);
  return out;
}

/** The code output: `out` when given and of the grid's own type and length, else a fresh array of the narrowest type. */
export function codeOutput(where: string, out: Codes | undefined, grid: Grid, length: number): Codes {
  if (out === undefined) return codesFor(grid, length);
  const expected = codesTypeOf(grid);
  if (out.constructor !== expected) {
    throw new TypeError(
      `${where}: expected out to be ${expected.name} for codes in [${grid.qmin}, ${grid.qmax}], got ${out.constructor.name}`,
    );
  }
  checkLength(where, "out", out, length);
  return out;
}

/** Checks that out does not overlap input, but for being the very same elements where `inPlace` allows it. */
export function checkOverlap(where: string, input: KernelArray, out: KernelArray, inPlace: boolean): void {
  if (input.buffer !== out.buffer) return;
  const apart =
    input.byteOffset + input.byteLength <= out.byteOffset || out.byteOffset + out.byteLength <= input.byteOffset;
  const same = input.byteOffset === out.byteOffset && input.byteLength === out.byteLength;
  if (!apart && !(inPlace && same)) {
    throw new RangeError(
      `${where}: expected out ${inPlace ? "to be the input or to lie apart from it" : "to lie apart from the input"}, got overlapping memory`,
    );
  }
}
