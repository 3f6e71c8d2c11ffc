import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { enableWasmTraining } from "../../src/tfjs/enable-wasm-training.js";
import { depthwiseBackpropFilterCall } from "../../src/wasm/depthwise-backprop-filter.js";
import { depthwiseBackpropInputCall } from "../../src/wasm/depthwise-backprop-input.js";
import { CHANNELS, geometryOf, noise } from "../contracts/geometries.js";
import { referenceOf, relativeError } from "../contracts/training-contract.js";

const MISSING = [
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNativeBackpropFilter",
  "DepthwiseConv2dNativeBackpropInput",
] as const;

type Pad = "same" | "valid" | number | [[0, 0], [number, number], [number, number], [0, 0]];
type Conv = (x: tf.Tensor4D, w: tf.Tensor4D) => tf.Tensor;

const SETTINGS: readonly { kernel: [number, number]; strides: [number, number]; pad: Pad }[] = [
  { kernel: [3, 3], strides: [1, 1], pad: "same" },
  { kernel: [3, 3], strides: [2, 2], pad: "same" },
  { kernel: [3, 2], strides: [1, 1], pad: "valid" },
  { kernel: [2, 3], strides: [2, 1], pad: "valid" },
  { kernel: [1, 1], strides: [1, 1], pad: "same" },
  { kernel: [1, 1], strides: [2, 2], pad: "valid" },
  { kernel: [3, 3], strides: [1, 1], pad: 2 },
  {
    kernel: [3, 3],
    strides: [1, 2],
    pad: [
      [0, 0],
      [2, 0],
      [1, 3],
      [0, 0],
    ],
  },
];

/** Gradients of Σ y² / 2 + Σ y for input and weights, on one backend. */
async function gradients(
  backend: string,
  conv: Conv,
  x: Float32Array,
  xShape: number[],
  w: Float32Array,
  wShape: number[],
) {
  await tf.setBackend(backend);
  const before = { ...tf.memory() };
  const results = tf.tidy(() => {
    const loss = (a: tf.Tensor4D, b: tf.Tensor4D): tf.Scalar => {
      const y = conv(a, b);
      return tf.sum(tf.add(tf.mul(tf.square(y), 0.5), y));
    };
    const given = [tf.tensor(x, xShape), tf.tensor(w, wShape)];
    return tf
      .grads(loss as (...args: tf.Tensor[]) => tf.Scalar)(given)
      .map((g) => g.dataSync<"float32">().slice());
  });
  assert.equal(tf.memory().numTensors, before.numTensors);
  assert.equal(tf.memory().numDataBuffers, before.numDataBuffers);
  return results;
}

async function assertLikeCpu(conv: Conv, xShape: number[], wShape: number[], what: string): Promise<void> {
  const size = (shape: number[]): number => shape.reduce((a, b) => a * b);
  const given = [noise(size(xShape), 1), xShape, noise(size(wShape), 2), wShape] as const;
  const cpu = await gradients("cpu", conv, ...given);
  const wasm = await gradients("wasm", conv, ...given);
  for (const [i, name] of ["input", "weights"].entries()) {
    const error = relativeError(wasm[i], cpu[i]);
    assert.ok(error <= 1e-5, `${what}: gradient for the ${name} is off by ${error}`);
  }
}

describe("enableWasmTraining", () => {
  before(() => {
    setThreadsCount(1);
    enableWasmTraining();
  });

  it("registers what stock tfjs lacks, once, and replaces nothing", () => {
    const code = `
      import * as tf from "@tensorflow/tfjs";
      import "@tensorflow/tfjs-backend-wasm";
      import { enableWasmTraining } from "./src/tfjs.ts";
      const kernels = () => new Map(tf.getKernelsForBackend("wasm").map((k) => [k.kernelName, k.kernelFunc]));
      const others = ["cpu", "webgl"].map((name) => tf.getKernelsForBackend(name).length);
      const gradients = new Map([...kernels().keys()].map((name) => [name, tf.getGradient(name)]));
      const warnings = [];
      console.warn = (text) => warnings.push(text);
      const stock = kernels();
      enableWasmTraining();
      const first = kernels();
      enableWasmTraining();
      const second = kernels();
      const same = (a, b) => [...a].every(([name, f]) => b.get(name) === f);
      console.log(JSON.stringify({
        added: [...first.keys()].filter((name) => !stock.has(name)).sort(),
        stockKept: same(stock, first),
        idempotent: same(first, second) && first.size === second.size,
        gradientsKept: [...gradients].every(([name, g]) => tf.getGradient(name) === g),
        newGradients: [...first.keys()].filter((name) => !stock.has(name) && tf.getGradient(name) !== undefined),
        othersKept: ["cpu", "webgl"].every((name, i) => tf.getKernelsForBackend(name).length === others[i]),
        warnings,
      }));`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", code],
      { cwd: fileURLToPath(new URL("../..", import.meta.url)), encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout.trim().split("\n").at(-1) as string), {
      added: MISSING,
      stockKept: true,
      idempotent: true,
      gradientsKept: true,
      newGradients: [],
      othersKept: true,
      warnings: [],
    });
  });

  it("leaves a kernel alone that somebody registered before", () => {
    const kernelName = "Conv2DBackpropFilter";
    const ours = tf.getKernel(kernelName, "wasm");
    tf.unregisterKernel(kernelName, "wasm");
    const kernelFunc = (): [] => [];
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
    enableWasmTraining();
    assert.equal(tf.getKernel(kernelName, "wasm").kernelFunc, kernelFunc);
    tf.unregisterKernel(kernelName, "wasm");
    tf.registerKernel(ours);
  });

  it("gradients of conv2d equal the cpu backend's to 1e-5", async () => {
    for (const { kernel, strides, pad } of SETTINGS) {
      for (const [i, inChannels] of CHANNELS.entries()) {
        const outChannels = CHANNELS[(i + 3) % CHANNELS.length];
        await assertLikeCpu(
          (x, w) => tf.conv2d(x, w, strides, pad as "same"),
          [2, 7, 6, inChannels],
          [...kernel, inChannels, outChannels],
          `kernel ${kernel}, strides ${strides}, pad ${pad}, channels ${inChannels} to ${outChannels}`,
        );
      }
    }
  });

  it("gradients of depthwiseConv2d equal the cpu backend's to 1e-5, multipliers 1, 2, 3", async () => {
    for (const { kernel, strides, pad } of SETTINGS) {
      for (const [i, channels] of CHANNELS.entries()) {
        const multiplier = 1 + (i % 3);
        await assertLikeCpu(
          (x, w) => tf.depthwiseConv2d(x, w, strides, pad as "same"),
          [2, 7, 6, channels],
          [...kernel, channels, multiplier],
          `kernel ${kernel}, strides ${strides}, pad ${pad}, channels ${channels}, multiplier ${multiplier}`,
        );
      }
    }
  });

  it("images larger than one step of the kernel, and a batch of one without a batch axis", async () => {
    await assertLikeCpu((x, w) => tf.conv2d(x, w, 1, "same"), [1, 70, 64, 12], [3, 3, 12, 4], "70 × 64 × 12");
    const rank3: Conv = (x, w) => tf.conv2d(tf.reshape(x, [9, 8, 3]) as tf.Tensor3D, w, 2, "same");
    await assertLikeCpu(rank3, [9, 8, 3, 1], [3, 3, 3, 5], "rank 3");
  });

  it("dilations 1 and 2: tfjs refuses gradients of dilated convolutions; the kernels have them", async () => {
    await tf.setBackend("wasm");
    const [x, w] = [tf.ones([1, 7, 6, 2]), tf.ones([3, 3, 2, 2])] as [tf.Tensor4D, tf.Tensor4D];
    const dilated = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same", "NHWC", 2).sum();
    assert.throws(() => tf.grads(dilated)([x, w]), {
      message:
        "Error in gradient of depthwiseConv2dNative: dilation rates greater than 1 are not yet supported. Got dilations '2'",
    });
    tf.dispose([x, w]);

    for (const dilations of [1, 2]) {
      for (const multiplier of [1, 2, 3]) {
        const geometry = geometryOf({
          input: [7, 6, 3],
          kernel: [3, 2],
          outChannels: 3 * multiplier,
          dilations: [dilations, dilations],
        });
        const [xs, dys, ws] = [
          noise(2 * 7 * 6 * 3, 1),
          noise(2 * 7 * 6 * 3 * multiplier, 2),
          noise(18 * multiplier, 3),
        ];
        const attrs = {
          strides: 1,
          pad: "same",
          dilations,
          filterShape: [3, 2, 3, multiplier],
          inputShape: [2, 7, 6, 3],
        };
        tf.tidy(() => {
          const dy = tf.tensor(dys, [2, 7, 6, 3 * multiplier]);
          const inputs = { x: tf.tensor(xs, [2, 7, 6, 3]), dy, filter: tf.tensor(ws, [3, 2, 3, multiplier]) };
          for (const [name, call, given] of [
            ["DepthwiseConv2dNativeBackpropFilter", depthwiseBackpropFilterCall(geometry), [xs, dys]],
            ["DepthwiseConv2dNativeBackpropInput", depthwiseBackpropInputCall(geometry), [dys, ws]],
          ] as const) {
            const result = tf.engine().runKernel(name, inputs, attrs as object as tf.NamedAttrMap);
            const values = (Array.isArray(result) ? result[0] : result) as tf.Tensor;
            const error = relativeError(values.dataSync<"float32">(), referenceOf(call, [...given])[0]);
            assert.ok(error <= 1e-5, `${name}, dilation ${dilations}, multiplier ${multiplier}: off by ${error}`);
          }
        });
      }
    }
  });

  it("refuses NCHW in words", async () => {
    await tf.setBackend("wasm");
    const [x, dy] = [tf.ones([1, 2, 5, 5]), tf.ones([1, 3, 3, 3])];
    const attrs = { strides: 1, pad: "valid", dataFormat: "NCHW", filterShape: [3, 3, 2, 3] };
    assert.throws(() => tf.engine().runKernel("Conv2DBackpropFilter", { x, dy }, attrs as object as tf.NamedAttrMap), {
      code: "unsupported",
      message: "Conv2DBackpropFilter on wasm: expected dataFormat NHWC, got NCHW",
    });
    tf.dispose([x, dy]);
  });

  it("stock gradients that are wrong in tfjs 4.22, and are left so", async () => {
    // A named list, so that a tfjs that mends them, or breaks others, is noticed.
    const maxPool = (...x: number[]): number[] =>
      tf.tidy(() => [
        ...tf
          .grad((v) => tf.maxPool(v as tf.Tensor4D, 2, 2, "valid"))(tf.tensor4d(x, [1, 2, 2, 1]))
          .dataSync(),
      ]);
    const nearest = (): number[] =>
      tf.tidy(() => {
        const up = (v: tf.Tensor): tf.Tensor => tf.image.resizeNearestNeighbor(v as tf.Tensor4D, [2, 1]);
        return [
          ...tf
            .grad(up)(tf.tensor4d([1, 1], [2, 1, 1, 1]), tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1]))
            .dataSync(),
        ];
      });
    await tf.setBackend("cpu");
    assert.deepEqual(
      [maxPool(-4, -2, -3, -1), maxPool(1, 2, 2, 2)],
      [
        [0, 0, 0, 1],
        [0, 1, 0, 0],
      ],
    );
    assert.notDeepEqual(nearest(), [3, 7], "the second sample's gradient reads the first one's");
    await tf.setBackend("wasm");
    // The first element of a window without a positive value, the last of equal ones.
    assert.deepEqual(
      [maxPool(-4, -2, -3, -1), maxPool(1, 2, 2, 2)],
      [
        [1, 0, 0, 0],
        [0, 0, 0, 1],
      ],
    );
    assert.deepEqual(nearest(), [3, 7]);
  });

  it("a stock network of every usual layer trains: weights as on cpu after two steps, to 1e-5, no tensor left", async () => {
    const build = (): tf.LayersModel => {
      const { layers } = tf;
      const input = tf.input({ shape: [8, 8, 2] });
      let seed = 1;
      const initializer = () => tf.initializers.heNormal({ seed: seed++ });
      // A bias before batch normalization has no gradient but noise.
      const conv = (filters: number, strides: number, name: string, useBias = true) =>
        layers.conv2d({
          ...{ filters, strides, name, useBias },
          kernelSize: 3,
          padding: "same",
          kernelInitializer: initializer(),
        });
      const norm = (x: tf.SymbolicTensor) => layers.batchNormalization({ momentum: 0.9 }).apply(x) as tf.SymbolicTensor;
      const relu6 = (x: tf.SymbolicTensor) => layers.reLU({ maxValue: 6 }).apply(x) as tf.SymbolicTensor;
      let x = relu6(norm(conv(6, 1, "a", false).apply(input) as tf.SymbolicTensor));
      const depthwise = {
        kernelSize: 3,
        padding: "same",
        depthMultiplier: 2,
        depthwiseInitializer: initializer(),
      } as const;
      let y = layers.depthwiseConv2d({ ...depthwise, useBias: false }).apply(x) as tf.SymbolicTensor;
      y = conv(6, 1, "b").apply(relu6(norm(y))) as tf.SymbolicTensor;
      x = layers.add().apply([x, y]) as tf.SymbolicTensor;
      x = layers.maxPooling2d({ poolSize: 2 }).apply(layers.reLU().apply(x)) as tf.SymbolicTensor;
      const separable = { filters: 8, kernelSize: 3, padding: "same", activation: "tanh" } as const;
      x = layers
        .separableConv2d({ ...separable, depthwiseInitializer: initializer(), pointwiseInitializer: initializer() })
        .apply(x) as tf.SymbolicTensor;
      x = layers.averagePooling2d({ poolSize: 2 }).apply(layers.leakyReLU().apply(x)) as tf.SymbolicTensor;
      // Bilinear: the cpu backend's gradient of the nearest kind is wrong for batches (checked below).
      x = layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }).apply(x) as tf.SymbolicTensor;
      x = layers.zeroPadding2d({ padding: 1 }).apply(conv(4, 2, "c").apply(x)) as tf.SymbolicTensor;
      x = layers.flatten().apply(x) as tf.SymbolicTensor;
      const fc = layers.dense({ units: 3, activation: "softmax", kernelInitializer: initializer() });
      return tf.model({ inputs: input, outputs: fc.apply(x) as tf.SymbolicTensor });
    };
    const trained = async (backend: string): Promise<{ loss: number; weights: Float32Array[]; left: number }> => {
      await tf.setBackend(backend);
      const before = tf.memory().numTensors;
      const model = build();
      const optimizer = tf.train.sgd(0.05);
      model.compile({ optimizer, loss: "categoricalCrossentropy" });
      const x = tf.tensor(noise(8 * 128, 4), [8, 8, 8, 2]);
      const y = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], "int32"), 3);
      const { history } = await model.fit(x, y, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 });
      const weights = model.getWeights().map((w) => w.dataSync<"float32">().slice());
      tf.dispose([x, y]);
      model.dispose();
      optimizer.dispose();
      return { loss: history.loss[1] as number, weights, left: tf.memory().numTensors - before };
    };
    const cpu = await trained("cpu");
    const wasm = await trained("wasm");
    assert.ok(Math.abs(cpu.loss - wasm.loss) < 1e-5, `loss ${wasm.loss}, on cpu ${cpu.loss}`);
    for (const [i, values] of cpu.weights.entries()) {
      const error = relativeError(wasm.weights[i], values);
      assert.ok(error <= 1e-5, `weight ${i} is off by ${error}`);
    }
    // fit itself leaves one tensor behind in tfjs 4.22, on every backend.
    assert.deepEqual([cpu.left, wasm.left], [1, 1]);
  });
});
