/** lowbias32 by Chris Wellons: a bijection of 32-bit numbers that looks random. */
export function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** What the noise of one tensor in one step is drawn from; each a whole number, taken mod 2^32. */
export interface NoiseSource {
  readonly seed: number;
  readonly step: number;
  readonly tensor: number;
}

/** The key of one tensor in one step: mix(mix(mix(seed) + step) + tensor) mod 2^32. */
export function noiseKey({ seed, step, tensor }: NoiseSource): number {
  return mix(mix(mix(seed >>> 0) + (step >>> 0)) + (tensor >>> 0));
}

/** The noise of one element: uniform in [−½, ½), a multiple of 2^−24. */
export function noiseAt(key: number, index: number): number {
  return (mix(key ^ index) >>> 8) * 2 ** -24 - 0.5;
}
