import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { dorefaWeights } from "../../../src/tfjs/ops/dorefa-weights.js";
import { dorefaWeights as dorefaWeightsArray } from "../../../src/wasm/dorefa-weights.js";
import { dorefaWeightsGradient } from "../../../src/wasm/dorefa-weights-gradient.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { relativeError } from "../../contracts/training-contract.js";
import { go, kernelsOf, nothingLeft, outputAndGradients, PLACES } from "./backends.js";

const OWN = PLACES.filter((place) => place !== "a backend without the library's kernels");
const BITS = [1, 2, 3, 4, 8, 16];
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Several of the largest magnitude, zeros of both signs, all zeros, one element. */
const WEIGHTS: readonly { readonly shape: readonly number[]; readonly values: Float32Array }[] = [
  ...[[3, 3, 5, 16], [24, 10], [67], [1]].map((shape) => ({ shape, values: noise(sizeOf(shape), 5) })),
  { shape: [2, 9], values: noise(18, 6).map((w, i) => [w, 2, -2, 0, -0][i % 5]) },
  { shape: [7], values: new Float32Array(7) },
];

describe("dorefaWeights", () => {
  for (const place of OWN) {
    it(`values and gradients are those of the array functions, bit for bit, on ${place}`, async () => {
      await go(place);
      for (const { shape, values } of WEIGHTS) {
        for (const bits of BITS) {
          const what = `[${shape}], ${bits} bits`;
          const [y, dw] = outputAndGradients(what, (w) => dorefaWeights("test", w, bits), [{ shape, values }]);
          assertSameBytes(y, dorefaWeightsArray(values, bits), `${what}, value`);
          assertSameBytes(dw, dorefaWeightsGradient(noise(values.length, 99), values, bits), `${what}, gradient`);
        }
      }
    });

    it(`NaN is an error that names the place and the index, and leaves nothing behind, on ${place}`, async () => {
      await go(place);
      nothingLeft(place, () => {
        const w = tf.tensor1d([1, Number.NaN, 2]);
        assert.throws(() => dorefaWeights('weights of "conv"', w, 2), {
          name: "QuantError",
          code: "non-finite",
          message: 'weights of "conv": expected finite values, got NaN at index 1',
        });
      });
    });
  }

  it("by stock ops: at most one code off, fewer than 1 in 1000; gradients to 1e-5", async () => {
    await go("a backend without the library's kernels");
    let [different, all] = [0, 0];
    for (const { shape, values } of WEIGHTS) {
      for (const bits of BITS) {
        const what = `[${shape}], ${bits} bits`;
        const [y, dw] = outputAndGradients(what, (w) => dorefaWeights("test", w, bits), [{ shape, values }]);
        const expected = dorefaWeightsArray(values, bits);
        const expectedDw = dorefaWeightsGradient(noise(values.length, 99), values, bits);
        if (bits === 1) assert.ok(relativeError(y, expected) <= 1e-6, what);
        else {
          const levels = 2 ** bits - 1;
          y.forEach((value, i) => {
            const steps = Math.round((Math.abs(value - expected[i]) * levels) / 2);
            assert.ok(steps <= 1, `${what}: ${value} instead of ${expected[i]}`);
            different += steps;
            all++;
          });
        }
        if (values.some((w) => w !== 0)) assert.ok(relativeError(dw, expectedDw) <= 1e-5, what);
        else assert.deepEqual(dw.map(Math.abs), expectedDw.map(Math.abs), what);
      }
    }
    assert.ok(different / all < 1e-3, `${different} of ${all}`);
  });

  it("32 bits are the very tensor; the kernels run where there are any", async () => {
    await go("wasm");
    tf.tidy(() => {
      const w = tf.tensor1d([3, -4]);
      assert.equal(dorefaWeights("test", w, 32), w);
    });
    const grad = (bits: number) =>
      kernelsOf(() => tf.grad((w: tf.Tensor) => dorefaWeights("test", w, bits))(tf.ones([4])));
    assert.deepEqual(await grad(2), ["BitpressDorefaWeights", "BitpressDorefaWeightsGradient"]);
    assert.deepEqual(await grad(1), ["BitpressDorefaWeights"]);
  });
});
