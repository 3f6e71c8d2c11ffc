import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { dorefaGradients } from "../../../src/tfjs/ops/dorefa-gradients.js";
import { dorefaGradients as dorefaGradientsArray } from "../../../src/wasm/dorefa-gradients.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, kernelsOf, nothingLeft, PLACES } from "./backends.js";

const PLAIN = "a backend without the library's kernels";
const SHAPES = [[4, 5, 3, 17], [9, 6], [71], [1, 8]];
const SOURCE = { seed: 4294967295, step: 3, tensor: 2 };

/** The gradient that the op passes on of `dr`, whose second sample is zeros. */
function passed(shape: readonly number[], bits: number) {
  const size = shape.reduce((a, b) => a * b, 1);
  const one = size / shape[0];
  const dr = noise(size, 7).map((v, i) => (Math.floor(i / one) === 1 ? 0 : v));
  const actual = nothingLeft(`[${shape}]`, () => {
    const x = tf.tensor(noise(size, 8), [...shape]);
    const rounding = { where: "test", bits, ...SOURCE };
    const { value, grad } = tf.valueAndGrad((v: tf.Tensor) => dorefaGradients(v, rounding))(
      x,
      tf.tensor(dr, [...shape]),
    );
    assert.deepEqual(value.dataSync(), x.dataSync());
    return grad.dataSync<"float32">().slice();
  });
  return { dr, actual, expected: dorefaGradientsArray(dr, bits, { batch: shape[0], ...SOURCE }), one };
}

describe("dorefaGradients", () => {
  for (const place of PLACES.filter((name) => name !== PLAIN)) {
    it(`values stay; the gradient is that of the array function, bit for bit, on ${place}`, async () => {
      await go(place);
      for (const shape of SHAPES) {
        for (const bits of [1, 2, 4, 8]) {
          const { actual, expected } = passed(shape, bits);
          assertSameBytes(actual, expected, `[${shape}], ${bits} bits`);
        }
      }
    });

    it(`NaN is an error that names the place and the index, on ${place}`, async () => {
      await go(place);
      const rounding = { where: 'gradient arriving at "conv"', bits: 4, ...SOURCE };
      nothingLeft(place, () => {
        const dy = tf.tensor1d([1, 2, Number.POSITIVE_INFINITY]);
        assert.throws(() => tf.grad((x: tf.Tensor) => dorefaGradients(x, rounding))(tf.ones([3]), dy), {
          code: "non-finite",
          message: 'gradient arriving at "conv": expected finite values, got Infinity at index 2',
        });
      });
    });
  }

  it("by stock ops: the same noise, at most one code off, fewer than 1 in 1000", async () => {
    await go(PLAIN);
    let [different, all] = [0, 0];
    for (const shape of SHAPES) {
      for (const bits of [1, 2, 4, 8]) {
        const { dr, actual, expected, one } = passed(shape, bits);
        actual.forEach((value, i) => {
          const start = i - (i % one);
          const largest = dr.subarray(start, start + one).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
          const steps =
            largest === 0 ? Math.abs(value) : (Math.abs(value - expected[i]) * (2 ** bits - 1)) / (2 * largest);
          assert.ok(steps <= 1 + 1e-4, `[${shape}], ${bits} bits: ${value} instead of ${expected[i]}`);
          different += steps > 0.5 ? 1 : 0;
          all++;
        });
      }
    }
    assert.ok(different / all < 1e-3, `${different} of ${all}`);
  });

  it("32 bits are the very tensor; forward no kernel copies", async () => {
    await go("wasm");
    const rounding = { where: "test", bits: 4, ...SOURCE };
    tf.tidy(() => {
      const x = tf.tensor1d([3, -4]);
      assert.equal(dorefaGradients(x, { ...rounding, bits: 32 }), x);
      const before = tf.backend().numDataIds();
      dorefaGradients(x, rounding);
      assert.equal(tf.backend().numDataIds(), before);
    });
    assert.deepEqual(await kernelsOf(() => tf.grad((x: tf.Tensor) => dorefaGradients(x, rounding))(tf.ones([4]))), [
      "BitpressRoundsGradient",
      "BitpressDorefaGradients",
    ]);
  });
});
