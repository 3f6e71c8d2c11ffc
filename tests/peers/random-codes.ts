/** Codes −128…127, uniform, the same for the same seed; every other call smooth, so that neighbours are alike as in images. */
export function randomCodes(length: number, seed: number): Int8Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  if (seed % 2 === 0) return Int8Array.from({ length }, () => Math.floor(next() * 256) - 128);
  let value = next() * 256;
  return Int8Array.from({ length }, () => {
    value = Math.max(0, Math.min(255, value + (next() - 0.5) * 24));
    return Math.floor(value) - 128;
  });
}
