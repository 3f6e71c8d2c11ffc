import { loadedKernels } from "./load.js";
import type { MemoryUsage } from "./memory.js";

/** Element types of resident arrays. */
export interface ResidentTypes {
  float32: Float32Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
}

/** An array that lives in the library's linear memory, so that kernels use it without a copy. */
export interface ResidentArray<T> {
  /** The array itself. Read it anew after each call: growing memory detaches older ones. Throws after dispose. */
  readonly array: T;
  /** Gives the memory back; a second call does nothing. */
  dispose(): void;
}

const CONSTRUCTORS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
};

/**
 * Allocates an array of zeros in the library's linear memory.
 *
 * Functions that get such arrays as inputs or `out` work on them in place: no copy in, none out, no allocation.
 *
 * Errors: TypeError for an unknown type; RangeError for a bad length; QuantError `out-of-memory` when the host refuses.
 *
 * @example
 * const x = residentArray("float32", 1024);
 * x.array.fill(0.3);
 * fakeQuantize(x.array, { scale: 0.25, zeroPoint: 0, qmin: -127, qmax: 127 }, { out: x.array });
 * x.array[1023]; // 0.25
 * memoryUsage().residentBytes; // 4096
 * x.dispose();
 */
export function residentArray<K extends keyof ResidentTypes>(type: K, length: number): ResidentArray<ResidentTypes[K]> {
  const Constructor = CONSTRUCTORS[type];
  if (Constructor === undefined) {
    throw new TypeError(`residentArray: expected one of ${Object.keys(CONSTRUCTORS).join(", ")}, got ${String(type)}`);
  }
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`residentArray: expected length ≥ 0, got ${length}`);
  }
  const arena = loadedKernels()?.arena;
  const ptr = arena?.allocate(length * Constructor.BYTES_PER_ELEMENT);
  const renew = (): ResidentTypes[keyof ResidentTypes] =>
    arena === undefined ? new Constructor(length) : new Constructor(arena.buffer as ArrayBuffer, ptr, length);
  let view: ResidentTypes[keyof ResidentTypes] | undefined = renew().fill(0);
  return {
    get array() {
      if (view === undefined) throw new Error("residentArray: expected a live array, got a disposed one");
      if (arena !== undefined && view.buffer !== arena.buffer) view = renew();
      return view as ResidentTypes[K];
    },
    dispose() {
      if (view !== undefined && ptr !== undefined) arena?.free(ptr);
      view = undefined;
    },
  };
}

/** Linear memory in use: its size, what resident arrays hold, and the highest address ever used; zeros without WebAssembly. */
export function memoryUsage(): MemoryUsage {
  return loadedKernels()?.arena.usage ?? { totalBytes: 0, residentBytes: 0, peakBytes: 0 };
}
