import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { biasOnGrid as biasOnGridArray } from "../../../src/reference/bias-on-grid.js";
import { biasOnGrid } from "../../../src/tfjs/ops/bias-on-grid.js";
import { noParams, paramsTensor } from "../../../src/tfjs/ops/quant-params-tensor.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, nothingLeft, outputAndGradients, PLACES, type Place } from "./backends.js";

const PLAIN: Place = "a backend without the library's kernels";
const OWN = PLACES.filter((place) => place !== PLAIN);
const INPUT_SCALE = Math.fround(0.01);
const CHANNELS = 67;

/** Scales of the weights, per channel and one for all. */
const SCALES = [noise(CHANNELS, 1).map((value) => Math.abs(value) * 0.02 + 1e-4), Float32Array.of(0.003)];

/** Biases of small codes, of large ones, and on ties. */
function biases(scales: Float32Array): Float32Array {
  const values = noise(CHANNELS, 2);
  return values.map((value, c) => {
    const step = INPUT_SCALE * scales[scales.length === 1 ? 0 : c];
    return [value * 100 * step, value * 2 ** 29 * step, (c + 0.5) * step, value][c % 4];
  });
}

const params = (scale: Float32Array): tf.Tensor2D =>
  paramsTensor({ scale, zeroPoint: new Int32Array(scale.length), qmin: -127, qmax: 127 });

describe("biasOnGrid", () => {
  for (const scales of SCALES) {
    const bias = biases(scales);
    const expected = new Float32Array(CHANNELS);
    biasOnGridArray(bias, INPUT_SCALE, scales, expected);
    const run = (): Float32Array[] =>
      outputAndGradients(
        "biasOnGrid",
        (value) => biasOnGrid(value as tf.Tensor1D, params(Float32Array.of(INPUT_SCALE)), params(scales)),
        [{ shape: [CHANNELS], values: bias }],
      );

    for (const place of OWN) {
      it(`${scales.length} scales: values of the array function, bit for bit, and the whole gradient, on ${place}`, async () => {
        await go(place);
        const [value, gradient] = run();
        assertSameBytes(value, expected, "value");
        assertSameBytes(gradient, noise(CHANNELS, 99), "gradient");
      });
    }

    it(`${scales.length} scales, by stock ops: within 1 code, or 2 float32 ulp of large ones, on ${PLAIN}`, async () => {
      await go(PLAIN);
      const [value, gradient] = run();
      let codes = 0;
      value.forEach((actual, c) => {
        const step = INPUT_SCALE * scales[scales.length === 1 ? 0 : c];
        const off = Math.abs(actual - expected[c]);
        assert.ok(
          off <= Math.max(1.001 * step, 2 ** -22 * Math.abs(expected[c])),
          `bias ${c}: ${actual}, not ${expected[c]}`,
        );
        if (Math.abs(expected[c]) >= 2 ** 20 * step || off < 0.5 * step) return;
        assert.equal(c % 4, 2, `bias ${c}: ${actual}, not ${expected[c]}`);
        codes++;
      });
      // Only ties: the step rounded to float32 moves them to one side. Of 16.
      assert.equal(codes, scales.length === 1 ? 6 : 7);
      assertSameBytes(gradient, noise(CHANNELS, 99), "gradient");
    });
  }

  for (const place of PLACES) {
    it(`an input that is not quantized leaves biases as they are, on ${place}`, async () => {
      await go(place);
      const bias = Float32Array.of(-0, 0.3, -1e30);
      const [value, gradient] = outputAndGradients(
        "biasOnGrid",
        (given) => biasOnGrid(given as tf.Tensor1D, noParams(), params(Float32Array.of(1, 2, 3))),
        [{ shape: [3], values: bias }],
      );
      assertSameBytes(value, bias, "value");
      assertSameBytes(gradient, noise(3, 99), "gradient");
    });

    it(`in variableGrads the gradient of a bias is that of the sum, on ${place}`, async () => {
      await go(place);
      const bias = tf.variable(tf.tensor1d([0.3, -0.7]));
      nothingLeft("variableGrads", () => {
        const { value, grads } = tf.variableGrads(() => {
          const onGrid = biasOnGrid(
            bias as tf.Tensor as tf.Tensor1D,
            params(Float32Array.of(0.5)),
            params(Float32Array.of(0.5, 0.25)),
          );
          return tf.sum(tf.square(onGrid)) as tf.Scalar;
        }, [bias]);
        // Steps of 0.25 and 0.125: biases 0.25 and −0.75.
        assert.deepEqual([...value.dataSync()], [0.0625 + 0.5625]);
        assert.deepEqual([...grads[bias.name].dataSync()], [0.5, -1.5]);
      });
      bias.dispose();
    });
  }
});
