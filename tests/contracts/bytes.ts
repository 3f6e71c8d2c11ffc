import assert from "node:assert/strict";
import type { KernelArray } from "../../src/wasm/blocks.js";

// Comparing arrays byte by byte, so that NaN payloads and the sign of zero count, and placing them between canaries, so
// that a write past either end is seen.

const CANARY = 0xa5;
/** Elements between an array and the ends of its buffer; odd, so that the array starts at an odd element. */
const MARGIN = 21;

/** The bytes of an array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A copy of the bytes of an array. */
export function snapshot(array: ArrayBufferView): Uint8Array {
  return bytesOf(array).slice();
}

/** Fails, naming the first element that differs, unless both arrays hold the same bytes. */
export function assertSameBytes(
  actual: KernelArray | Int32Array,
  expected: KernelArray | Int32Array,
  what: string,
): void {
  const a = bytesOf(actual);
  const b = bytesOf(expected);
  if (Buffer.compare(a, b) === 0) return;
  assert.equal(a.length, b.length, `${what}: byte length`);
  const at = Math.floor(a.findIndex((byte, i) => byte !== b[i]) / actual.BYTES_PER_ELEMENT);
  assert.fail(`${what}: element ${at} of ${actual.length} is ${actual[at]}, expected ${expected[at]}`);
}

/** An array between canaries. */
export interface Guarded<T extends KernelArray> {
  readonly array: T;
  /** Fails when a byte outside the array was written. */
  check(what: string): void;
}

/** Copies an array into the middle of a larger buffer of canaries, at an odd element of it. */
export function guarded<T extends KernelArray>(source: T): Guarded<T> {
  const buffer = new ArrayBuffer(source.byteLength + 2 * MARGIN * source.BYTES_PER_ELEMENT);
  const all = new Uint8Array(buffer).fill(CANARY);
  const Constructor = source.constructor as new (buffer: ArrayBuffer, byteOffset: number, length: number) => T;
  const array = new Constructor(buffer, MARGIN * source.BYTES_PER_ELEMENT, source.length);
  bytesOf(array).set(bytesOf(source));
  return { array, check: (what) => assertOnlyWithin(all, array.byteOffset, array.byteLength, what) };
}

/** Fails when a byte outside [start, start + length) is no canary. */
function assertOnlyWithin(bytes: Uint8Array, start: number, length: number, what: string): void {
  const stray = bytes.findIndex((byte, i) => byte !== CANARY && (i < start || i >= start + length));
  assert.equal(stray, -1, `${what}: byte ${stray - start} relative to the output was overwritten`);
}
