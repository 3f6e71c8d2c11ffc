import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { addBias } from "../../../src/tfjs/ops/add-bias.js";
import { batchNormTrain } from "../../../src/tfjs/ops/batch-norm-train.js";
import { channelAffine } from "../../../src/tfjs/ops/channel-affine.js";
import { clip } from "../../../src/tfjs/ops/clip.js";
import { conv2d } from "../../../src/tfjs/ops/conv2d.js";
import type { ConvolutionOptions } from "../../../src/tfjs/ops/convolution-op.js";
import { depthwiseConv2d } from "../../../src/tfjs/ops/depthwise-conv2d.js";
import { matMul } from "../../../src/tfjs/ops/mat-mul.js";
import { maxPool, type PoolOptions } from "../../../src/tfjs/ops/max-pool.js";
import { momentsOf } from "../../../src/tfjs/ops/moments-of.js";
import { noise } from "../../contracts/geometries.js";
import { relativeError } from "../../contracts/training-contract.js";
import { go, PLACES } from "./backends.js";

const OPTIONS: ConvolutionOptions = { strides: [1, 1], dilations: [1, 1], padding: "same" };
const POOL: PoolOptions = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };

/** The ops of a network: the library's, or the stock ones. */
interface Ops {
  conv2d(x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor4D;
  depthwiseConv2d(x: tf.Tensor4D, w: tf.Tensor4D): tf.Tensor4D;
  batchNorm(x: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Tensor4D;
  /** x through the moments of another tensor, as in quantization-aware training. */
  correct(x: tf.Tensor4D, of: tf.Tensor4D): tf.Tensor4D;
  relu6(x: tf.Tensor4D): tf.Tensor4D;
  maxPool(x: tf.Tensor4D): tf.Tensor4D;
  dense(x: tf.Tensor2D, w: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor;
}

const moments = (x: tf.Tensor): [tf.Tensor1D, tf.Tensor1D] => {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return [mean as tf.Tensor1D, variance as tf.Tensor1D];
};
const correction = ([mean, variance]: [tf.Tensor1D, tf.Tensor1D]): [tf.Tensor1D, tf.Tensor1D] => {
  const scale = tf.rsqrt(tf.add(variance, 1e-3)) as tf.Tensor1D;
  return [scale, tf.neg(tf.mul(mean, scale)) as tf.Tensor1D];
};

const STOCK: Ops = {
  conv2d: (x, w) => tf.conv2d(x, w, 1, "same"),
  depthwiseConv2d: (x, w) => tf.depthwiseConv2d(x, w, 1, "same"),
  batchNorm: (x, gamma, beta) => {
    const [mean, variance] = moments(x);
    return tf.batchNorm(x, mean, variance, beta, gamma, 1e-3) as tf.Tensor4D;
  },
  correct: (x, of) => {
    const [scale, shift] = correction(moments(of));
    return tf.add(tf.mul(x, scale), shift);
  },
  relu6: (x) => tf.relu6(x),
  maxPool: (x) => tf.maxPool(x, 2, 2, "valid"),
  dense: (x, w, bias) => tf.add(tf.matMul(x, w), bias),
};

const OWN: Ops = {
  conv2d: (x, w) => conv2d(x, w, OPTIONS),
  depthwiseConv2d: (x, w) => depthwiseConv2d(x, w, OPTIONS),
  batchNorm: (x, gamma, beta) => batchNormTrain(x, gamma, beta, 1e-3)[0] as tf.Tensor4D,
  correct: (x, of) => channelAffine(x, ...correction(momentsOf(of))) as tf.Tensor4D,
  relu6: (x) => clip(x, "relu6") as tf.Tensor4D,
  maxPool: (x) => maxPool(x, POOL),
  dense: (x, w, bias) => addBias(matMul(x, w), bias),
};

const SHAPES = {
  first: [3, 3, 2, 6],
  depth: [3, 3, 6, 1],
  point: [1, 1, 6, 6],
  gamma: [6],
  beta: [6],
  fc: [96, 3],
  bias: [3],
};

/** Weights after three steps of SGD, and the loss of each; fails when a step leaves a tensor behind. */
function train(ops: Ops): { losses: number[]; weights: Float32Array[] } {
  const size = (shape: number[]): number => shape.reduce((a, b) => a * b);
  const variables = tf.tidy(() =>
    Object.fromEntries(
      Object.entries(SHAPES).map(([name, shape], i) => [
        name,
        tf.variable(tf.mul(tf.tensor(noise(size(shape), i), shape), 0.3)),
      ]),
    ),
  );
  const weight = <T extends tf.Tensor>(name: keyof typeof SHAPES): T => variables[name] as tf.Tensor as T;
  const x = tf.tensor(noise(4 * 8 * 8 * 2, 20), [4, 8, 8, 2]) as tf.Tensor4D;
  const labels = tf.tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0], [4, 3]);
  const loss = (): tf.Scalar => {
    const a = ops.relu6(ops.batchNorm(ops.conv2d(x, weight("first")), weight("gamma"), weight("beta")));
    const d = ops.depthwiseConv2d(a, weight("depth"));
    const b = ops.correct(ops.conv2d(d, tf.mul(weight("point"), 0.9)), ops.conv2d(d, weight("point")));
    const flat = tf.reshape(ops.maxPool(tf.add(a, b)), [4, 96]) as tf.Tensor2D;
    return tf.losses.softmaxCrossEntropy(labels, ops.dense(flat, weight("fc"), weight("bias"))) as tf.Scalar;
  };
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = tf.memory().numTensors;
    const ids = tf.backend().numDataIds();
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss);
      losses.push(value.dataSync()[0]);
      for (const variable of Object.values(variables)) {
        variable.assign(tf.sub(variable, tf.mul(grads[variable.name], 0.05)));
      }
    });
    assert.equal(tf.memory().numTensors, before);
    assert.equal(tf.backend().numDataIds(), ids);
  }
  const weights = Object.values(variables).map((variable) => variable.dataSync<"float32">().slice());
  tf.dispose([x, labels, ...Object.values(variables)]);
  return { losses, weights };
}

/** All kernels and gradients that tfjs knows. */
function registry(): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const backend of ["cpu", "wasm", "webgl"]) {
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend(backend)) {
      entries.set(`${backend}: ${kernelName}`, kernelFunc);
      entries.set(`gradient: ${kernelName}`, tf.getGradient(kernelName));
    }
  }
  return entries;
}

describe("runOp", () => {
  const atImport = registry();
  const { warn } = console;
  const warnings: string[] = [];
  before(() => {
    console.warn = (...text) => warnings.push(text.join(" "));
  });
  after(() => {
    console.warn = warn;
  });

  it("importing the ops registers nothing", () => {
    assert.deepEqual(
      [...atImport.keys()].filter((name) => name.includes("Bitpress")),
      [],
    );
  });

  for (const place of PLACES) {
    it(`a network of all ops in variableGrads, three steps: weights as with stock ops on cpu, to 1e-5, on ${place}`, async () => {
      await go("cpu");
      const expected = train(STOCK);
      assert.ok(expected.losses[2] < expected.losses[0], `losses ${expected.losses}`);
      await go(place);
      const actual = train(OWN);
      for (const [i, name] of Object.keys(SHAPES).entries()) {
        const error = relativeError(actual.weights[i], expected.weights[i]);
        assert.ok(error <= 1e-5, `${name} is off by ${error}`);
      }
    });
  }

  it("registered each kernel for cpu and wasm, and nothing stock was touched", () => {
    const now = registry();
    for (const [name, value] of atImport) assert.equal(now.get(name), value, name);
    const added = [...now.keys()].filter((name) => !atImport.has(name));
    const kernels = added.filter((name) => name.startsWith("cpu: ")).map((name) => name.slice(5));
    assert.deepEqual(kernels.sort(), [
      "BitpressAddBias",
      "BitpressBatchNormTrain",
      "BitpressBatchNormTrainGradient",
      "BitpressBiasGradient",
      "BitpressChannelAffine",
      "BitpressChannelAffineGradient",
      "BitpressClip",
      "BitpressClipGradient",
      "BitpressConv2d",
      "BitpressConv2dBackpropFilter",
      "BitpressConv2dBackpropInput",
      "BitpressDepthwiseConv2d",
      "BitpressDepthwiseConv2dBackpropFilter",
      "BitpressDepthwiseConv2dBackpropInput",
      "BitpressMatMul",
      "BitpressMatMulBackpropInput",
      "BitpressMatMulBackpropWeights",
      "BitpressMaxPool",
      "BitpressMaxPoolGradient",
      "BitpressMoments",
    ]);
    assert.deepEqual(
      added
        .filter((name) => name.startsWith("wasm: "))
        .map((name) => name.slice(6))
        .sort(),
      kernels,
    );
    assert.deepEqual(
      added.filter((name) => name.startsWith("webgl: ")),
      [],
    );
    assert.deepEqual(
      warnings.filter((text) => text.includes("already registered")),
      [],
    );
  });
});
