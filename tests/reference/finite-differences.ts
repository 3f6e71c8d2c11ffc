import assert from "node:assert/strict";

/** Σ a · b. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Fails unless `gradient` is the derivative of `loss` at `at`, by central differences.
 *
 * @param step half of the difference
 * @param tolerance relative to the largest derivative
 */
export function assertDerivative(
  gradient: Float32Array,
  at: Float32Array,
  loss: (values: Float64Array) => number,
  { step, tolerance }: { step: number; tolerance: number },
): void {
  const values = Float64Array.from(at);
  const differences = values.map((value, i) => {
    values[i] = value + step;
    const above = loss(values);
    values[i] = value - step;
    const below = loss(values);
    values[i] = value;
    return (above - below) / (2 * step);
  });
  const largest = Math.max(...differences.map(Math.abs));
  assert.ok(largest > 0, "the loss does not depend on the argument");
  assert.equal(gradient.length, differences.length);
  for (const [i, expected] of differences.entries()) {
    assert.ok(
      Math.abs(gradient[i] - expected) <= tolerance * largest,
      `element ${i}: gradient ${gradient[i]}, difference quotient ${expected}`,
    );
  }
}
