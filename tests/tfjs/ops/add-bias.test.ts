import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { addBias } from "../../../src/tfjs/ops/add-bias.js";
import { CHANNELS } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, PLACES } from "./backends.js";

const SHAPES = [...CHANNELS.map((channels) => [2, 5, 3, channels]), [9, 6], [7]];

const cases = SHAPES.flatMap((shape): Case[] => [
  {
    what: `x [${shape}]`,
    op: (x, bias) => addBias(x, bias as tf.Tensor1D),
    stock: (x, bias) => tf.add(x, bias),
    inputs: [{ shape }, { shape: shape.slice(-1) }],
  },
  {
    // The gradient for x is dy itself, which another op adds to.
    what: `x [${shape}], used twice`,
    op: (x, bias) => tf.mul(addBias(x, bias as tf.Tensor1D), x),
    stock: (x, bias) => tf.mul(tf.add(x, bias), x),
    inputs: [{ shape }, { shape: shape.slice(-1) }],
  },
]);

describe("addBias", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  it("says what does not fit", () => {
    tf.tidy(() => {
      assert.throws(() => addBias(tf.ones([4, 3]), tf.ones([4]) as tf.Tensor1D), {
        name: "RangeError",
        message: "addBias: expected bias [3], got [4]",
      });
    });
  });
});
