/** Elements of one tensor: a middling activation map; inputs and outputs of every kernel and peer fit the second-level cache. */
export const ELEMENTS = 2 ** 16;
/** Elements of a large one: 4 MiB of float32, beyond the second-level cache. */
export const MANY_ELEMENTS = 2 ** 20;

/** Normally distributed float32 values, the same at every run. */
export function normalValues(length: number, seed = 1): Float32Array {
  const random = uniform(seed);
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}

/** Codes spread evenly over [lo, hi]. */
export function evenCodes(length: number, lo: number, hi: number, seed = 1): Int8Array {
  const random = uniform(seed);
  return Int8Array.from({ length }, () => lo + Math.floor((hi - lo + 1) * random()));
}

/** mulberry32: uniform in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
