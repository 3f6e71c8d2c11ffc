import type { KernelArray } from "./blocks.js";
import type { Arena } from "./memory.js";

/**
 * A way to see an array again after a reservation: growing memory detaches arrays that lie in it, addresses stay.
 *
 * To be called before the first reservation.
 */
export function liveArray<T extends KernelArray>(arena: Arena, array: T): () => T {
  if (array.buffer !== arena.buffer) return () => array;
  const { byteOffset, length } = array;
  const Constructor = array.constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;
  return () => (array.buffer === arena.buffer ? array : new Constructor(arena.buffer, byteOffset, length));
}
