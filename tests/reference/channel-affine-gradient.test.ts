import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { channelAffineGradient } from "../../src/reference/channel-affine-gradient.js";
import { noise } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";

function gradients(dy: Float32Array, x: Float32Array, scale: Float32Array) {
  const [dx, dscale, dshift] = [x.length, scale.length, scale.length].map((length) => new Float32Array(length));
  channelAffineGradient(dy, x, scale, dx, dscale, dshift);
  return { dx, dscale, dshift };
}

describe("channelAffineGradient", () => {
  it("by hand: two rows of two channels", () => {
    const { dx, dscale, dshift } = gradients(
      Float32Array.of(1, 2, 3, 4),
      Float32Array.of(5, 6, 7, 8),
      Float32Array.of(2, -1),
    );
    assert.deepEqual([...dx], [2, -2, 6, -4]);
    assert.deepEqual([...dscale], [1 * 5 + 3 * 7, 2 * 6 + 4 * 8]);
    assert.deepEqual([...dshift], [4, 6]);
  });

  it("is the derivative of the factor and offset: 7 rows of 3 channels", () => {
    const [x, dy, scale, shift] = [noise(21, 1), noise(21, 2), noise(3, 3), noise(3, 4)];
    const exact = (v: ArrayLike<number>, k: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
      Float64Array.from({ length: 21 }, (_, i) => v[i] * k[i % 3] + b[i % 3]);
    const { dx, dscale, dshift } = gradients(dy, x, scale);
    // Linear: differences of any step are exact; the gradient rounds in float32.
    const near = { step: 0.5, tolerance: 1e-6 };
    assertDerivative(dx, x, (v) => dot(dy, exact(v, scale, shift)), near);
    assertDerivative(dscale, scale, (v) => dot(dy, exact(x, v, shift)), near);
    assertDerivative(dshift, shift, (v) => dot(dy, exact(x, scale, v)), near);
  });

  it("may write over dy or x", () => {
    const scale = noise(3, 3);
    const { dx } = gradients(noise(21, 2), noise(21, 1), scale);
    for (const over of [0, 1]) {
      const arrays = [noise(21, 2), noise(21, 1)];
      channelAffineGradient(arrays[0], arrays[1], scale, arrays[over], new Float32Array(3), new Float32Array(3));
      assert.deepEqual(arrays[over], dx);
    }
  });
});
