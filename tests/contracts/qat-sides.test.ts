import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { QATQuantizer as ArraysQuantizer, type QATOptions } from "../../src/index.js";
import { exportModel } from "../../src/tfjs/export-model.js";
import { QATQuantizer as TfjsQuantizer } from "../../src/tfjs/qat-quantizer.js";

// One configuration, one layer, the same data: a tfjs model and a loop over plain arrays go through warm-up, training, frozen
// ranges, frozen biases and evaluation with the same bits in every value. Gradients to 1e-5 of the largest: the sums of products
// in the model's gradients are float32's.

const [INPUTS, UNITS, ROWS] = [4, 3, 5];
const STEPS = 7;

before(() => tf.setBackend("cpu"));

/** Values in ±`size`, the same in every run. */
function values(length: number, size: number, from: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => size * Math.sin(2.3 * (i + from) + 0.4));
}

/** fl(Σ term(r, c, k)) for every row and column: summed in float64 and rounded once, as tfjs's cpu backend multiplies. */
function product(rows: number, columns: number, depth: number, term: (r: number, c: number, k: number) => number) {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += term(Math.floor(at / columns), at % columns, k);
    return sum;
  });
}

function assertClose(actual: Float32Array, expected: Float32Array, what: string): void {
  const largest = Math.max(...expected.map(Math.abs));
  assert.ok(
    expected.every((value, i) => Math.abs(actual[i] - value) <= 1e-5 * largest),
    `${what}: [${actual}], plain [${expected}]`,
  );
}

/** A dense layer with ReLU over the hooks; the loss is Σ y · dy. */
function plainSide(options: QATOptions, kernel: Float32Array, bias: Float32Array) {
  const qat = new ArraysQuantizer(options).compress(
    { "fc.kernel": { data: kernel, shape: [INPUTS, UNITS] }, "fc.bias": { data: bias, shape: [UNITS] } },
    { layout: "tfjs" },
  );
  const { fc } = qat.layers;
  const forward = (batch: Float32Array) => {
    const x = fc.input(batch);
    const w = fc.weight();
    const b = fc.bias();
    const z = product(ROWS, UNITS, INPUTS, (r, c, k) => x[r * INPUTS + k] * w[k * UNITS + c]);
    const relu = z.map((value, i) => Math.max(0, Math.fround(value + b[i % UNITS])));
    return { x, relu, y: fc.output(relu) };
  };
  const step = (batch: Float32Array, dy: Float32Array) => {
    const { x, relu, y } = forward(batch);
    const dz = fc.gradient(dy).map((value, i) => (relu[i] > 0 ? value : 0));
    const dw = fc.weightGradient(product(INPUTS, UNITS, ROWS, (r, c, k) => x[k * INPUTS + r] * dz[k * UNITS + c]));
    const db = product(1, UNITS, ROWS, (_, c, k) => dz[k * UNITS + c]);
    qat.step();
    return { y, dw, db };
  };
  return { qat, forward, step };
}

/** The same as a model. */
function tfjsSide(options: QATOptions, kernel: Float32Array, bias: Float32Array) {
  const input = tf.input({ shape: [INPUTS], name: "features" });
  const fc = tf.layers.dense({ name: "fc", units: UNITS, activation: "relu" });
  const model = tf.model({ inputs: input, outputs: fc.apply(input) as tf.SymbolicTensor });
  fc.setWeights([tf.tensor2d(kernel, [INPUTS, UNITS]), tf.tensor1d(bias)]);
  const simulated = new TfjsQuantizer(options).compress(model);
  const step = (batch: Float32Array, dy: Float32Array) => {
    let y: Float32Array = new Float32Array();
    const { grads } = tf.variableGrads(() => {
      const out = simulated.apply(tf.tensor2d(batch, [ROWS, INPUTS]), { training: true }) as tf.Tensor;
      y = out.dataSync<"float32">();
      return tf.sum(tf.mul(out, tf.tensor2d(dy, [ROWS, UNITS])));
    });
    const [dw, db] = simulated.trainableWeights.map((weight) => grads[weight.name]?.dataSync<"float32">());
    return { y, dw, db };
  };
  const update = (...weights: Float32Array[]) =>
    simulated.trainableWeights.forEach((weight, i) => {
      weight.write(tf.tensor(weights[i], weight.shape as number[]));
    });
  return { simulated, step, update };
}

describe("QATQuantizer of tfjs models and of plain arrays", () => {
  for (const options of [
    { bits: 8 },
    { bits: 4, decay: 0.5 },
    { weightBits: 3, activationBits: 10, granularity: "perTensor", symmetric: true, decay: 0.9 },
    { bits: 8, quantStartStep: 2, freezeObserversStep: 4, freezeBatchNormStep: 5, decay: 0.75 },
  ] as const) {
    it(`${JSON.stringify(options)}: the same bits in training, evaluation and export`, async () => {
      const [kernel, bias] = [values(INPUTS * UNITS, 0.8, 0), values(UNITS, 0.3, 50)];
      const plain = plainSide(options, kernel, bias);
      const model = tfjsSide(options, kernel.slice(), bias.slice());
      for (let n = 0; n < STEPS; n++) {
        const batch = values(ROWS * INPUTS, 1 + ((n * 3) % 4), 10 * n);
        const dy = values(ROWS * UNITS, 1, 7 * n);
        const ours = plain.step(batch, dy);
        const theirs = model.step(batch, dy);
        assert.deepEqual(theirs.y, ours.y, `step ${n}: y`);
        assertClose(theirs.dw, ours.dw, `step ${n}: dw`);
        assertClose(theirs.db, ours.db, `step ${n}: db`);
        kernel.forEach((w, i) => {
          kernel[i] = w - 0.05 * ours.dw[i];
        });
        bias.forEach((b, i) => {
          bias[i] = b - 0.05 * ours.db[i];
        });
        model.update(kernel, bias);
      }
      plain.qat.training = false;
      const batch = values(ROWS * INPUTS, 3, 99);
      const predicted = model.simulated.predict(tf.tensor2d(batch, [ROWS, INPUTS])) as tf.Tensor;
      assert.deepEqual(predicted.dataSync(), plain.forward(batch).y, "evaluation");

      const ours = plain.qat.exportModel();
      const theirs = await exportModel(model.simulated);
      assert.deepEqual(theirs.calibration, ours.calibration);
      assert.deepEqual(theirs.weights["fc/kernel"], ours.weights["fc.kernel"]);
    });
  }
});
