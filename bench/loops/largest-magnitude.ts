/** The largest |x| from `start` up to `end`; NaN or Infinity where one of the values is. */
export function largestMagnitude(x: Float32Array, start: number, end: number): number {
  let largest = 0;
  // Math.max keeps NaN.
  for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(x[i]));
  return largest;
}
