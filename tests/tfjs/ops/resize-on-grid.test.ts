import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { integerResizeBilinear } from "../../../src/reference/integer-resize-bilinear.js";
import { resizeAxis } from "../../../src/reference/resize-positions.js";
import { resizeOnGrid } from "../../../src/tfjs/ops/resize-on-grid.js";
import { noise } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, PLACES } from "./backends.js";

const [HEIGHT, WIDTH, CHANNELS] = [4, 5, 3];

describe("resizeOnGrid", () => {
  const cases = [
    [2, 2],
    [1, 4],
    [8, 2],
  ].map(([rows, columns]): Case => {
    const size: [number, number] = [HEIGHT * rows, HEIGHT * columns];
    return {
      what: `factors ${rows}, ${columns}`,
      op: (x) => resizeOnGrid(x as tf.Tensor4D, size),
      stock: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, size),
      // Stock tfjs takes the gradient of square maps only.
      inputs: [{ shape: [2, HEIGHT, HEIGHT, CHANNELS] }],
    };
  });

  for (const place of PLACES) {
    it(`powers of two: output and gradient are those of tf.image.resizeBilinear, on ${place}`, () =>
      assertLikeStock(place, cases));
  }

  it("other factors: the weighted sums of integers, before they round", async () => {
    await go("cpu");
    const codes = Int8Array.from(noise(HEIGHT * WIDTH * CHANNELS, 1), (value) => Math.round(value * 127));
    for (const [rows, columns] of [
      [3, 3],
      [5, 7],
      [6, 1],
    ]) {
      const [outHeight, outWidth] = [HEIGHT * rows, WIDTH * columns];
      const rule = { alignCorners: false, halfPixelCenters: false };
      const axes = {
        rows: resizeAxis(HEIGHT, outHeight, rule, "integer"),
        columns: resizeAxis(WIDTH, outWidth, rule, "integer"),
      };
      const sizes = { batch: 1, inHeight: HEIGHT, inWidth: WIDTH, inChannels: CHANNELS, outHeight, outWidth };
      const expected = new Int8Array(outHeight * outWidth * CHANNELS);
      integerResizeBilinear(codes, { ...axes, bits: 10, ties: "up" }, sizes, expected);
      const found = tf.tidy(() => {
        const x = tf.tensor4d(Array.from(codes), [1, HEIGHT, WIDTH, CHANNELS]);
        return Array.from(resizeOnGrid(x, [outHeight, outWidth]).dataSync());
      });
      // Half up, with room for the float sums' error.
      const rounded = found.map((value) => Math.floor(value + 0.5 + 2 ** -14));
      assert.deepEqual(rounded, Array.from(expected), `${rows}, ${columns}`);
    }
  });
});
