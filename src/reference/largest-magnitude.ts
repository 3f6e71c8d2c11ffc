/** The largest |x|; 0 for an empty array, undefined where there is NaN or ±Infinity. */
export function largestMagnitude(x: Float32Array): number | undefined {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i]);
    if (!(magnitude < Number.POSITIVE_INFINITY)) return undefined;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}
