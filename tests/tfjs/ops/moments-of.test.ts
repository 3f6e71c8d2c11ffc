import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { momentsOf } from "../../../src/tfjs/ops/moments-of.js";
import { CHANNELS } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, kernelsOf, PLACES } from "./backends.js";

const SHAPES = [...CHANNELS.map((channels) => [2, 5, 3, channels]), [9, 6], [4, 7, 3]];
const SELECTIONS: Record<string, (both: tf.Tensor[]) => tf.Tensor> = {
  "mean and variance": (both) => tf.concat(both),
  "mean alone": ([mean]) => mean,
  "variance alone": ([, variance]) => variance,
};

const cases = SHAPES.flatMap((shape) =>
  Object.entries(SELECTIONS).map(
    ([name, select]): Case => ({
      what: `${name} of [${shape}]`,
      op: (x) => select(momentsOf(x)),
      stock: (x) => {
        const { mean, variance } = tf.moments(
          x,
          shape.slice(1).map((_, axis) => axis),
        );
        return select([mean, variance]);
      },
      inputs: [{ shape }],
    }),
  ),
);

describe("momentsOf", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  it("gradient in one pass over x", async () => {
    await go("wasm");
    const x = tf.ones([2, 4, 3]);
    assert.deepEqual(await kernelsOf(() => tf.grad((v) => momentsOf(v)[1])(x)), [
      "BitpressMoments",
      "BitpressChannelAffine",
    ]);
    x.dispose();
  });

  it("refuses a scalar", () => {
    tf.tidy(() => {
      assert.throws(() => momentsOf(tf.scalar(1)), {
        name: "RangeError",
        message: "momentsOf: expected x of rank 1 or more that is not empty, got []",
      });
    });
  });
});
