import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { batchNormTrain } from "../../../src/tfjs/ops/batch-norm-train.js";
import { CHANNELS, noise } from "../../contracts/geometries.js";
import { assertLikeStock, type Case, go, PLACES } from "./backends.js";

const SHAPES = [...CHANNELS.map((channels) => [2, 5, 3, channels]), [9, 6], [4, 7, 3]];
const EPSILON = 1e-3;

const cases = SHAPES.map(
  (shape): Case => ({
    what: `x [${shape}]`,
    op: (x, gamma, beta) => batchNormTrain(x, gamma as tf.Tensor1D, beta as tf.Tensor1D, EPSILON)[0],
    stock: (x, gamma, beta) => {
      const { mean, variance } = tf.moments(
        x,
        shape.slice(1).map((_, axis) => axis),
      );
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), gamma), beta);
    },
    inputs: [{ shape }, { shape: shape.slice(-1) }, { shape: shape.slice(-1) }],
  }),
);

describe("batchNormTrain", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));

    it(`gives mean and biased variance of the batch, on ${place}`, async () => {
      await go(place);
      tf.tidy(() => {
        const [y, mean, variance] = batchNormTrain(
          tf.tensor2d([1, 2, 3, 2, 5, 2, 7, 2], [4, 2]),
          tf.tensor1d([6, 1]),
          tf.tensor1d([1, -1]),
          4,
        );
        assert.deepEqual([...mean.dataSync()], [4, 2]);
        assert.deepEqual([...variance.dataSync()], [5, 0]);
        assert.deepEqual(
          [...y.dataSync()].map((v) => Number(v.toFixed(5))),
          [-5, -1, -1, -1, 3, -1, 7, -1],
        );
      });
    });
  }

  for (const place of ["cpu", "wasm"] as const) {
    it(`no gradient flows through mean and variance, on ${place}`, async () => {
      await go(place);
      tf.tidy(() => {
        const [gamma, beta] = [tf.ones([3]), tf.zeros([3])] as [tf.Tensor1D, tf.Tensor1D];
        const x = tf.tensor(noise(12, 1), [4, 3]);
        for (const output of [1, 2]) {
          const dx = tf.grad((v) => batchNormTrain(v, gamma, beta, EPSILON)[output])(x);
          assert.deepEqual(new Set(dx.dataSync().map(Math.abs)), new Set([0]));
        }
      });
    });
  }

  it("says what does not fit", async () => {
    await go("cpu");
    tf.tidy(() => {
      const [three, two] = [tf.ones([3]), tf.ones([2])] as [tf.Tensor1D, tf.Tensor1D];
      assert.throws(() => batchNormTrain(tf.ones([4, 3]), three, two, EPSILON), {
        name: "RangeError",
        message: "batchNormTrain: expected beta [3], got [2]",
      });
      assert.throws(() => batchNormTrain(tf.ones([0, 3]), three, three, EPSILON), {
        name: "RangeError",
        message: "batchNormTrain: expected x of rank 1 or more that is not empty, got [0, 3]",
      });
      assert.throws(() => batchNormTrain(tf.ones([4, 3]), three, three, 0), {
        name: "RangeError",
        message: "batchNormTrain: expected epsilon > 0 in float32, got 0",
      });
    });
  });
});
