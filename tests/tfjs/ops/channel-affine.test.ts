import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { channelAffine } from "../../../src/tfjs/ops/channel-affine.js";
import { CHANNELS } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, PLACES } from "./backends.js";

const SHAPES = [...CHANNELS.map((channels) => [2, 5, 3, channels]), [9, 6], [7]];

const cases = SHAPES.map(
  (shape): Case => ({
    what: `x [${shape}]`,
    op: (x, scale, shift) => channelAffine(x, scale as tf.Tensor1D, shift as tf.Tensor1D),
    stock: (x, scale, shift) => tf.add(tf.mul(x, scale), shift),
    inputs: [{ shape }, { shape: shape.slice(-1) }, { shape: shape.slice(-1) }],
  }),
);

describe("channelAffine", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  it("says what does not fit", () => {
    tf.tidy(() => {
      const [scale, shift] = [tf.ones([3]), tf.ones([3, 1])] as [tf.Tensor1D, tf.Tensor];
      assert.throws(() => channelAffine(tf.ones([4, 3]), scale, shift as tf.Tensor1D), {
        name: "RangeError",
        message: "channelAffine: expected shift [3], got [3, 1]",
      });
    });
  });
});
