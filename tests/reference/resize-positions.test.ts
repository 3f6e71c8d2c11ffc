import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearestPixel, resizeAxis, resizeBits } from "../../src/reference/resize-positions.js";

const PLAIN = { alignCorners: false, halfPixelCenters: false };
const CORNERS = { alignCorners: true, halfPixelCenters: false };
const HALF = { alignCorners: false, halfPixelCenters: true };

describe("resizeAxis", () => {
  const axis = (...args: Parameters<typeof resizeAxis>) => {
    const { lower, upper, weight } = resizeAxis(...args);
    return { lower: Array.from(lower), upper: Array.from(upper), weight: Array.from(weight) };
  };

  it("plain: positions i · in/out, the last pixel repeats", () => {
    const expected = { lower: [0, 0, 1, 1], upper: [1, 1, 1, 1], weight: [0, 512, 0, 0] };
    assert.deepEqual(axis(2, 4, PLAIN, "integer"), expected);
    assert.deepEqual(axis(2, 4, PLAIN, "float32"), { ...expected, weight: [0, 1024, 0, 0] });
    assert.deepEqual(axis(2, 4, PLAIN, "tflite"), { ...expected, upper: [0, 1, 1, 1], weight: [0, 512, 0, 512] });
  });

  it("aligned corners: first and last pixels are those of the input", () => {
    assert.deepEqual(axis(3, 5, CORNERS, "integer"), {
      lower: [0, 0, 1, 1, 2],
      upper: [1, 1, 2, 2, 2],
      weight: [0, 512, 0, 512, 0],
    });
    assert.deepEqual(axis(3, 1, CORNERS, "integer"), { lower: [0], upper: [1], weight: [0] });
  });

  it("half-pixel centers: outside of the first center its pixel alone", () => {
    assert.deepEqual(axis(2, 4, HALF, "integer"), {
      lower: [0, 0, 0, 1],
      upper: [1, 1, 1, 1],
      weight: [0, 256, 768, 0],
    });
    // −¼ of the only pixel plus 1¼ of it.
    assert.deepEqual(axis(2, 4, HALF, "tflite"), {
      lower: [0, 0, 0, 1],
      upper: [0, 1, 1, 1],
      weight: [-256, 256, 768, 256],
    });
  });

  it("tflite rounds the step first: of 3 pixels in 7, 439/1024; the others stay on the last pixel", () => {
    assert.deepEqual(axis(3, 7, PLAIN, "tflite").weight, [0, 439, 878, 293, 732, 147, 586]);
    assert.deepEqual(axis(3, 7, PLAIN, "integer").weight, [0, 439, 878, 293, 731, 0, 0]);
  });

  it("has weights of 10 bits, 11 in XNNPACK", () => {
    assert.deepEqual((["integer", "tflite", "float32"] as const).map(resizeBits), [10, 10, 11]);
  });
});

describe("nearestPixel", () => {
  const pixels = (inSize: number, outSize: number, rule: typeof PLAIN): number[] =>
    Array.from({ length: outSize }, (_, i) => nearestPixel(i, inSize, outSize, rule));

  it("plain: the pixel below; half-pixel centers: the one whose square holds the center", () => {
    assert.deepEqual(pixels(3, 6, PLAIN), [0, 0, 1, 1, 2, 2]);
    assert.deepEqual(pixels(5, 2, PLAIN), [0, 2]);
    assert.deepEqual(pixels(5, 2, HALF), [1, 3]);
  });

  it("aligned corners: rounded, ties up", () => {
    assert.deepEqual(pixels(3, 5, CORNERS), [0, 1, 1, 2, 2]);
  });

  it("positions are float32: 3 · fl(1/3) is 1", () => {
    assert.deepEqual(pixels(1, 3, PLAIN), [0, 0, 0]);
    assert.deepEqual(pixels(2, 6, PLAIN), [0, 0, 0, 1, 1, 1]);
  });
});
