import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { channelAffine } from "../../src/reference/channel-affine.js";

describe("channelAffine", () => {
  it("a factor and an offset for each channel, in place", () => {
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    channelAffine(x, Float32Array.of(2, 0, -1), Float32Array.of(0.5, 7, 0), x);
    assert.deepEqual([...x], [2.5, 7, -3, 8.5, 7, -6]);
  });

  it("rounds the product before it adds", () => {
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, whose last bit a fused multiply-add would keep.
    const near = 1 + 2 ** -12;
    const y = new Float32Array(1);
    channelAffine(Float32Array.of(near), Float32Array.of(near), Float32Array.of(-1), y);
    assert.equal(y[0], 2 ** -11);
  });

  it("an offset alone is one addition", () => {
    const [x, y] = [Float32Array.of(0.1, 1e30), new Float32Array(2)];
    channelAffine(x, Float32Array.of(1, 1), Float32Array.of(0.2, 3), y);
    assert.deepEqual([...y], [Math.fround(Math.fround(0.1) + Math.fround(0.2)), Math.fround(1e30)]);
  });
});
