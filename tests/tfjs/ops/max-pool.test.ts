import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { maxPool, type PoolOptions } from "../../../src/tfjs/ops/max-pool.js";
import { CHANNELS, noise } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, PLACES } from "./backends.js";

const SETTINGS: readonly PoolOptions[] = [
  { poolSize: [2, 2], strides: [2, 2], padding: "valid" },
  { poolSize: [2, 2], strides: [2, 2], padding: "same" },
  { poolSize: [3, 3], strides: [2, 2], padding: "same" },
  { poolSize: [3, 2], strides: [1, 1], padding: "valid" },
  { poolSize: [2, 3], strides: [3, 2], padding: "same" },
];

const cases = SETTINGS.flatMap((options) =>
  CHANNELS.map((channels): Case => {
    const shape = [2, 7, 6, channels];
    return {
      what: `${JSON.stringify(options)}, ${channels} channels`,
      op: (x) => maxPool(x as tf.Tensor4D, options),
      stock: (x) => tf.maxPool(x as tf.Tensor4D, options.poolSize, options.strides, options.padding),
      // Few different values, so that there are ties; about half of the windows have no positive one.
      inputs: [{ shape, values: noise(84 * channels, 1).map((v) => Math.round(v * 2) - 1) }],
    };
  }),
);

describe("maxPool", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  for (const place of ["cpu", "wasm"] as const) {
    it(`the first of equal maxima has the gradient, also below 0, on ${place}`, async () => {
      await go(place);
      const gradient = (...x: number[]): number[] =>
        tf.tidy(() => [
          ...tf
            .grad((v) => maxPool(v as tf.Tensor4D, SETTINGS[0]))(tf.tensor(x, [1, 2, 2, 1]))
            .dataSync(),
        ]);
      assert.deepEqual(gradient(1, 2, 2, 2), [0, 1, 0, 0]);
      assert.deepEqual(gradient(-4, -2, -3, -1), [0, 0, 0, 1]);
    });
  }

  it("says what does not fit", () => {
    tf.tidy(() => {
      assert.throws(() => maxPool(tf.ones([4, 4, 2]) as unknown as tf.Tensor4D, SETTINGS[0]), {
        name: "RangeError",
        message: "maxPool: expected x of rank 4, got [4, 4, 2]",
      });
    });
  });
});
