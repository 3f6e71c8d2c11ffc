import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { QATQuantizer } from "../../../src/tfjs/qat-quantizer.js";
import type { WeightedLayer } from "../../../src/tfjs/simulated/weighted-layer.js";
import { floats, readVectors, type VectorCase } from "../../contracts/vector-file.js";
import { largestDifference, reload } from "../model-checks.js";
import { randomizeWeights } from "../model-zoo.js";

before(() => tf.setBackend("cpu"));

const { layers } = tf;
/** Rounds nothing in training: what is left is the folding. */
const OFF = Number.MAX_SAFE_INTEGER;

/** A convolution or dense layer with batch normalization behind it, by what is special about it. */
const PAIRS: Readonly<Record<string, () => tf.LayersModel>> = {
  "conv2d with bias": () => pair(layers.conv2d({ name: "conv", filters: 5, kernelSize: 3, padding: "same" })),
  "conv2d without bias": () => pair(layers.conv2d({ name: "conv", filters: 5, kernelSize: 3, useBias: false })),
  "depthwiseConv2d, multiplier 2": () =>
    pair(layers.depthwiseConv2d({ name: "conv", kernelSize: 3, depthMultiplier: 2 })),
  dense: () => pair(layers.dense({ name: "conv", units: 4 }), [7]),
  "gamma 0": () =>
    pair(layers.conv2d({ name: "conv", filters: 5, kernelSize: 3 }), [6, 6, 3], { gammaInitializer: "zeros" }),
  "variance 0": () =>
    pair(layers.conv2d({ name: "conv", filters: 5, kernelSize: 3, kernelInitializer: "zeros" }), [6, 6, 3]),
};

function pair(linear: tf.layers.Layer, inputShape = [6, 6, 3], norm: object = {}): tf.LayersModel {
  const x = tf.input({ shape: inputShape });
  const y = layers
    .batchNormalization({ name: "bn", momentum: 0.9, ...norm })
    .apply(linear.apply(x)) as tf.SymbolicTensor;
  const model = tf.model({
    inputs: x,
    outputs: layers.reLU({ name: "relu", maxValue: 6 }).apply(y) as tf.SymbolicTensor,
  });
  const zeros = [model.getLayer("conv"), model.getLayer("bn")].map((layer) =>
    layer.getWeights().map((weight) => tf.max(tf.abs(weight)).dataSync()[0] === 0),
  );
  randomizeWeights(model);
  // What an initializer made zero on purpose stays zero.
  if ("gammaInitializer" in norm) zero(model.getLayer("bn"), 0);
  if (zeros[0][0]) zero(model.getLayer("conv"), 0);
  return model;
}

function zero(layer: tf.layers.Layer, index: number): void {
  layer.setWeights(layer.getWeights().map((weight, i) => (i === index ? tf.zerosLike(weight) : weight)));
}

function batches(model: tf.LayersModel, count: number): tf.Tensor[] {
  const shape = [8, ...(model.inputs[0].shape.slice(1) as number[])];
  return Array.from({ length: count }, (_, i) => tf.randomNormal(shape, 0.3, 1.5, "float32", 11 + i));
}

const train = (model: tf.LayersModel, x: tf.Tensor): tf.Tensor => model.apply(x, { training: true }) as tf.Tensor;

function momentsIn(layer: tf.layers.Layer): tf.Tensor[] {
  return layer.weights.filter(({ originalName }) => originalName.includes("moving_")).map((weight) => weight.read());
}

describe("WeightedLayer with quantizers off", () => {
  for (const [name, make] of Object.entries(PAIRS)) {
    it(`${name}: before the freeze, outputs and moving moments equal stock batch norm's in training to 1e-5`, () => {
      const model = make();
      const simulated = new QATQuantizer({ bits: 8, quantStartStep: OFF }).compress(model);
      for (const x of batches(model, 5)) {
        assert.ok(largestDifference([train(simulated, x)], [train(model, x)]) <= 1e-5);
      }
      const own = momentsIn(simulated.getLayer("conv"));
      assert.ok(largestDifference(own, momentsIn(model.getLayer("bn"))) <= 1e-6);
    });

    it(`${name}: after the freeze, outputs equal stock batch norm's in evaluation to 1e-5 and moments stay`, () => {
      const model = make();
      const simulated = new QATQuantizer({ bits: 8, quantStartStep: OFF, freezeBatchNormStep: 0 }).compress(model);
      const [x] = batches(model, 1);
      const before = momentsIn(simulated.getLayer("conv")).map((moment) => moment.clone());
      assert.ok(largestDifference([train(simulated, x)], [model.predict(x) as tf.Tensor]) <= 1e-5);
      assert.equal(largestDifference(momentsIn(simulated.getLayer("conv")), before), 0);
    });
  }

  it("without scale and center, which stock tfjs cannot train: as with ones and zeros", () => {
    const conv = () => layers.conv2d({ name: "conv", filters: 5, kernelSize: 3 });
    const bare = pair(conv(), [6, 6, 3], { scale: false, center: false });
    const stock = pair(conv());
    stock.getLayer("conv").setWeights(bare.getLayer("conv").getWeights());
    const [gamma, beta] = stock.getLayer("bn").getWeights();
    stock.getLayer("bn").setWeights([tf.onesLike(gamma), tf.zerosLike(beta), ...bare.getLayer("bn").getWeights()]);
    const simulated = new QATQuantizer({ bits: 8, quantStartStep: OFF }).compress(bare);
    for (const x of batches(bare, 3)) assert.ok(largestDifference([train(simulated, x)], [train(stock, x)]) <= 1e-5);
  });

  it("a frozen batch norm uses its moving moments from the first step", () => {
    const model = PAIRS["conv2d with bias"]();
    model.getLayer("bn").trainable = false;
    const simulated = new QATQuantizer({ bits: 8, quantStartStep: OFF }).compress(model);
    const [x] = batches(model, 1);
    assert.ok(largestDifference([train(simulated, x)], [model.predict(x) as tf.Tensor]) <= 1e-5);
    assert.deepEqual(
      simulated.trainableWeights.map(({ originalName }) => originalName.split("/").at(-1)),
      ["kernel", "bias"],
    );
  });
});

/** A case of tests/vectors/torch_bn_fold.json, in PyTorch's layouts: OIHW, [out, in]. */
interface FoldCase extends VectorCase {
  readonly kind: "conv" | "conv_transpose" | "linear";
  readonly weight_shape: number[];
  readonly weight: number[];
  readonly bias: number[] | null;
  readonly running_mean: number[];
  readonly running_var: number[];
  readonly gamma: number[] | null;
  readonly beta: number[] | null;
  readonly eps: number;
  readonly folded_weight: number[];
  readonly folded_bias: number[];
}

describe("WeightedLayer.folded", () => {
  it("torch's folding: weights equal, biases within 1e-5 of their size; transposed convolutions are no layers here", () => {
    const cases = readVectors<FoldCase>("torch_bn_fold").cases.filter(({ kind }) => kind !== "conv_transpose");
    assert.equal(cases.length, 11);
    for (const one of cases) {
      const [outputs, inputs, height, width] = one.weight_shape;
      const isConv = one.kind === "conv";
      const useBias = one.bias !== null;
      const linear = isConv
        ? layers.conv2d({ name: "conv", filters: outputs, kernelSize: [height, width], useBias })
        : layers.dense({ name: "conv", units: outputs, useBias });
      const [scale, center] = [one.gamma !== null, one.beta !== null];
      const norm = layers.batchNormalization({ name: "bn", epsilon: one.eps, scale, center });
      const x = tf.input({ shape: isConv ? [4, 4, inputs] : [inputs] });
      const model = tf.model({ inputs: x, outputs: norm.apply(linear.apply(x)) as tf.SymbolicTensor });
      const weight = tf.tensor(floats(one.weight), one.weight_shape);
      const vectors = (...values: (number[] | null)[]): tf.Tensor[] =>
        values.filter((value) => value !== null).map((value) => tf.tensor1d(floats(value)));
      linear.setWeights([tf.transpose(weight, isConv ? [2, 3, 1, 0] : [1, 0]), ...vectors(one.bias)]);
      norm.setWeights(vectors(one.gamma, one.beta, one.running_mean, one.running_var));

      const layer = new QATQuantizer().compress(model).getLayer("conv") as WeightedLayer;
      const { weights, bias } = layer.folded();
      const found = tf.transpose(weights, isConv ? [3, 2, 0, 1] : [1, 0]).dataSync();
      assert.deepEqual(found, floats(one.folded_weight), one.name);
      for (const [c, expected] of floats(one.folded_bias).entries()) {
        const apart = Math.abs((bias as tf.Tensor1D).dataSync()[c] - expected);
        assert.ok(apart <= 1e-5 * Math.abs(expected), `${one.name}, bias ${c}`);
      }
    }
  });
});

describe("WeightedLayer in training", () => {
  it("a layer frozen after compress stays frozen when the model is loaded again", async () => {
    const simulated = new QATQuantizer().compress(PAIRS.dense());
    const trained = simulated.trainableWeights.length;
    simulated.getLayer("conv").trainable = false;
    const loaded = await reload(simulated);
    assert.deepEqual([trained, loaded.trainableWeights.length], [4, 0]);
  });

  it("the moving variance goes to the true one of the unfolded convolution", () => {
    const model = PAIRS["conv2d with bias"]();
    const simulated = new QATQuantizer({ bits: 4 }).compress(model);
    const [x] = batches(model, 1);
    for (let i = 0; i < 200; i++) tf.dispose(train(simulated, x));
    const edge = simulated.layers[1];
    const conv = tf.tidy(() => {
      const [kernel, bias] = model.getLayer("conv").getWeights() as [tf.Tensor4D, tf.Tensor1D];
      const rounded = edge.call(x, {}) as tf.Tensor4D;
      return tf.add(tf.conv2d(rounded, kernel, 1, "same"), bias);
    });
    const { mean, variance } = tf.moments(conv, [0, 1, 2]);
    assert.ok(largestDifference(momentsIn(simulated.getLayer("conv")), [mean, variance]) <= 1e-4);
  });

  it("warm-up passes values and gradients in full, and only observes", () => {
    const x = tf.input({ shape: [4] });
    const model = tf.model({
      inputs: x,
      outputs: layers.dense({ name: "fc", units: 3 }).apply(x) as tf.SymbolicTensor,
    });
    const simulated = new QATQuantizer({ bits: 2, quantStartStep: 3 }).compress(model);
    const [batch] = batches(model, 1);
    const gradient = (one: tf.LayersModel) => {
      const kernel = one.trainableWeights[0].read() as tf.Variable;
      return tf.variableGrads(() => tf.sum(tf.square(train(one, batch))) as tf.Scalar, [kernel]).grads[kernel.name];
    };
    const expected = gradient(model);
    for (let step = 0; step < 3; step++) assert.ok(largestDifference([gradient(simulated)], [expected]) <= 1e-6);
    assert.ok(largestDifference([gradient(simulated)], [expected]) > 1e-3, "step 3 rounds to 2 bits");
  });

  it("a shared layer counts one step for all its uses", () => {
    const a = tf.input({ shape: [4] });
    const b = tf.input({ shape: [4] });
    const fc = layers.dense({ name: "fc", units: 3 });
    const sum = layers
      .add({ name: "sum" })
      .apply([fc.apply(a), fc.apply(b)] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: sum });
    const simulated = new QATQuantizer({ bits: 2, quantStartStep: 2 }).compress(model);
    const inputs = [tf.randomNormal([8, 4], 0, 1, "float32", 1), tf.randomNormal([8, 4], 0, 1, "float32", 2)];
    const expected = model.predict(inputs) as tf.Tensor;
    const step = () => largestDifference([simulated.apply(inputs, { training: true }) as tf.Tensor], [expected]);
    assert.deepEqual([step() < 1e-6, step() < 1e-6, step() > 1e-2], [true, true, true]);
  });
});

describe("WeightedLayer's gradients equal finite differences of the straight-through surrogate, in float64", () => {
  const [ROWS, INPUTS, OUTPUTS] = [6, 3, 2];
  const EPSILON = 1e-3;

  /** Values by name, row-major. */
  type Values = Record<"x" | "kernel" | "bias" | "gamma" | "beta", number[]>;

  /**
   * Σ weights[i] · y[i] of dense with batch norm: the equations of docs/numerics.md with fakeQuantize(v) replaced by v plus the
   * rounding error that it has at the point where the gradient is taken.
   */
  function surrogate(
    { x, kernel, bias, gamma, beta }: Values,
    moving: { mean: number[]; variance: number[] },
    error: number[],
    frozen: boolean,
    weights: number[],
  ): number {
    let sum = 0;
    for (let c = 0; c < OUTPUTS; c++) {
      const column = (k: (i: number) => number): number[] =>
        Array.from({ length: ROWS }, (_, r) =>
          Array.from({ length: INPUTS }, (_, i) => x[r * INPUTS + i] * k(i)).reduce((a, b) => a + b, 0),
        );
      const sigma = Math.sqrt(moving.variance[c] + EPSILON);
      const u = column((i) => (kernel[i * OUTPUTS + c] * gamma[c]) / sigma + error[i * OUTPUTS + c]);
      const z = column((i) => kernel[i * OUTPUTS + c]).map((value) => value + bias[c]);
      const mean = frozen ? moving.mean[c] : z.reduce((a, b) => a + b, 0) / ROWS;
      const batch = z.reduce((a, b) => a + (b - mean) ** 2, 0) / ROWS;
      const root = frozen ? sigma : Math.sqrt(batch + EPSILON);
      for (let r = 0; r < ROWS; r++) {
        const y = u[r] * (sigma / root) + beta[c] - (gamma[c] * (mean - bias[c])) / root;
        sum += weights[r * OUTPUTS + c] * y;
      }
    }
    return sum;
  }

  for (const frozen of [false, true]) {
    it(frozen ? "after the freeze" : "before the freeze, through the batch's moments and the correction", () => {
      const seeded = (size: number, seed: number): number[] =>
        Array.from(tf.randomNormal([size], 0, 1, "float32", seed).dataSync());
      const values: Values = {
        x: seeded(ROWS * INPUTS, 1),
        kernel: seeded(INPUTS * OUTPUTS, 2),
        bias: seeded(OUTPUTS, 3),
        gamma: [0.7, -1.3],
        beta: [0.2, 0.4],
      };
      const moving = { mean: [0.3, -0.2], variance: [0.8, 1.7] };
      const x = tf.input({ shape: [INPUTS] });
      const dense = tf.layers.dense({ name: "fc", units: OUTPUTS });
      const norm = tf.layers.batchNormalization({ name: "bn", epsilon: EPSILON });
      const model = tf.model({ inputs: x, outputs: norm.apply(dense.apply(x)) as tf.SymbolicTensor });
      dense.setWeights([tf.tensor2d(values.kernel, [INPUTS, OUTPUTS]), tf.tensor1d(values.bias)]);
      norm.setWeights([values.gamma, values.beta, moving.mean, moving.variance].map((one) => tf.tensor1d(one)));

      // Weights alone are rounded, to 3 bits; the bias stays in float, since the input has no grid.
      const config = [{ op_types: ["Dense"], quant_types: ["weight" as const], quant_bits: 3 }];
      const simulated = new QATQuantizer(config, frozen ? { freezeBatchNormStep: 0 } : {}).compress(model);
      const layer = simulated.getLayer("fc");
      const roles = ["kernel", "bias", "gamma", "beta"] as const;
      const variables = roles.map(
        (role) => layer.weights.find(({ originalName }) => originalName.endsWith(`/${role}`))?.read() as tf.Variable,
      );
      const weights = seeded(ROWS * OUTPUTS, 4);
      const batch = tf.variable(tf.tensor2d(values.x, [ROWS, INPUTS]));
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(train(simulated, batch), tf.tensor2d(weights, [ROWS, OUTPUTS]))) as tf.Scalar,
        [...variables, batch],
      );

      const folded = values.kernel.map(
        (w, i) => (w * values.gamma[i % OUTPUTS]) / Math.sqrt(moving.variance[i % OUTPUTS] + EPSILON),
      );
      const scales = [0, 1].map((c) => Math.max(...folded.filter((_, i) => i % OUTPUTS === c).map(Math.abs)) / 3);
      const error = folded.map((w, i) => Math.round(w / scales[i % OUTPUTS]) * scales[i % OUTPUTS] - w);
      assert.ok(Math.max(...error.map(Math.abs)) > 0.05, "rounding matters");
      const step = 1e-5;
      for (const [role, variable] of [
        ...roles.map((role, i) => [role, variables[i]] as const),
        ["x", batch] as const,
      ]) {
        const actual = grads[variable.name].dataSync();
        const expected = values[role].map((value, i) => {
          const at = (shifted: number): number => {
            const moved = { ...values, [role]: values[role].map((one, j) => (j === i ? shifted : one)) };
            return surrogate(moved, moving, error, frozen, weights);
          };
          return (at(value + step) - at(value - step)) / (2 * step);
        });
        const size = Math.max(1, ...expected.map(Math.abs));
        expected.forEach((value, i) => {
          assert.ok(Math.abs(actual[i] - value) <= 1e-4 * size, `d${role}[${i}]: expected ${value}, got ${actual[i]}`);
        });
      }
    });
  }
});
