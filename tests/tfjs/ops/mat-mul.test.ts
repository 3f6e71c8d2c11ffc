import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { matMul } from "../../../src/tfjs/ops/mat-mul.js";
import { assertLikeStock, type Case, go, kernelsOf, PLACES } from "./backends.js";

const cases = [
  [1, 1, 1],
  [5, 3, 4],
  [2, 17, 5],
  [64, 33, 10],
  [7, 12, 8],
].map(
  ([rows, inner, outer]): Case => ({
    what: `${rows} × ${inner} × ${outer}`,
    op: (x, w) => matMul(x as tf.Tensor2D, w as tf.Tensor2D),
    stock: (x, w) => tf.matMul(x, w),
    inputs: [{ shape: [rows, inner] }, { shape: [inner, outer] }],
  }),
);

describe("matMul", () => {
  for (const place of PLACES) {
    it(`output and gradients equal those of stock ops on cpu, on ${place}`, () => assertLikeStock(place, cases));
  }

  it("computes only the gradients that are asked for", async () => {
    await go("wasm");
    const [x, w] = [tf.ones([4, 3]), tf.ones([3, 2])] as [tf.Tensor2D, tf.Tensor2D];
    assert.deepEqual(await kernelsOf(() => tf.grad((v) => matMul(x, v as tf.Tensor2D))(w)), [
      "BitpressMatMul",
      "BitpressMatMulBackpropWeights",
    ]);
    tf.dispose([x, w]);
  });

  it("says what does not fit", () => {
    tf.tidy(() => {
      assert.throws(() => matMul(tf.ones([4, 3]), tf.ones([4, 3])), {
        name: "RangeError",
        message: "matMul: expected x [rows, in] and weights [in, out], got [4, 3] and [4, 3]",
      });
    });
  });
});
