import * as tf from "@tensorflow/tfjs";

/** Where the output channels of a weight are: an axis, or the last two axes of a depthwise kernel. */
export type Channels = number | "depthwise";

/** A layers model with weights that are the same at every call of `build`. */
export interface SampleModel {
  readonly name: string;
  readonly build: () => tf.LayersModel;
  /** Inputs with fixed values. */
  readonly input: () => tf.Tensor | tf.Tensor[];
  /** The weights to be quantized; all others stay. */
  readonly channels: Readonly<Record<string, Channels>>;
  /** Those that are stored in float32 when they have a scale per channel. Default none. */
  readonly stayFloat?: readonly string[];
}

/** Values in (−1, 1), the same for the same seed, nearly normal so that channels differ in range. */
export function values(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length }, () => (uniform() + uniform() + uniform()) / 1.5);
}

/** Gives a model fixed weights; variances are positive. */
export function withWeights<M extends tf.LayersModel>(model: M): M {
  tf.tidy(() => {
    model.weights.forEach((variable, index) => {
      const shape = variable.shape as number[];
      const data = values(tf.util.sizeFromShape(shape), index + 1);
      if (variable.originalName.endsWith("variance"))
        data.forEach((value, i) => {
          data[i] = 0.5 + Math.abs(value);
        });
      variable.write(tf.tensor(data, shape));
    });
  });
  return model;
}

const floats = (...shape: number[]): tf.Tensor => tf.tensor(values(tf.util.sizeFromShape(shape), 99), shape);
const symbolic = (tensor: unknown): tf.SymbolicTensor => tensor as tf.SymbolicTensor;
const { layers } = tf;

/** A stack of layers. */
const stack = (...list: tf.layers.Layer[]): tf.Sequential => withWeights(tf.sequential({ layers: list }));

export const SAMPLE_MODELS: readonly SampleModel[] = [
  {
    name: "Sequential: Dense with and without bias, all kinds of activation",
    build: () =>
      stack(
        layers.dense({ name: "a", units: 6, inputShape: [5], activation: "relu" }),
        layers.dense({ name: "b", units: 5, useBias: false, activation: "relu6" }),
        layers.dense({ name: "c", units: 7 }),
        layers.dense({ name: "d", units: 4, useBias: false }),
        layers.dense({ name: "e", units: 3, activation: "softmax" }),
      ),
    input: () => floats(4, 5),
    channels: { "a/kernel": 1, "b/kernel": 1, "c/kernel": 1, "d/kernel": 1, "e/kernel": 1 },
  },
  {
    name: "Sequential: Conv2D, BatchNormalization, pooling, Dense",
    build: () =>
      stack(
        layers.conv2d({
          name: "conv",
          filters: 5,
          kernelSize: 3,
          inputShape: [8, 8, 2],
          activation: "relu",
          padding: "same",
        }),
        layers.batchNormalization({ name: "bn" }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.conv2d({ name: "conv2", filters: 4, kernelSize: [2, 3], strides: 2, dilationRate: 1, useBias: false }),
        layers.flatten(),
        layers.dense({ name: "fc", units: 3, activation: "softmax" }),
      ),
    input: () => floats(2, 8, 8, 2),
    channels: { "conv/kernel": 3, "conv2/kernel": 3, "fc/kernel": 1 },
  },
  {
    name: "Conv2D, channels first",
    build: () =>
      stack(
        layers.conv2d({
          name: "conv",
          filters: 4,
          kernelSize: 2,
          inputShape: [2, 5, 5],
          dataFormat: "channelsFirst",
          activation: "relu",
        }),
        layers.flatten(),
        layers.dense({ name: "fc", units: 3 }),
      ),
    input: () => floats(2, 2, 5, 5),
    channels: { "conv/kernel": 3, "fc/kernel": 1 },
    stayFloat: ["conv/kernel"],
  },
  {
    name: "DepthwiseConv2D, channels first",
    build: () =>
      stack(
        layers.depthwiseConv2d({
          name: "dw",
          kernelSize: 2,
          inputShape: [3, 5, 5],
          depthMultiplier: 2,
          dataFormat: "channelsFirst",
        }),
      ),
    input: () => floats(2, 3, 5, 5),
    channels: { "dw/depthwise_kernel": "depthwise" },
    stayFloat: ["dw/depthwise_kernel"],
  },
  {
    name: "Conv2DTranspose",
    build: () =>
      stack(
        layers.conv2dTranspose({
          name: "up",
          filters: 3,
          kernelSize: 2,
          strides: 2,
          inputShape: [4, 4, 5],
          activation: "relu",
        }),
      ),
    input: () => floats(2, 4, 4, 5),
    channels: { "up/kernel": 2 },
  },
  {
    name: "DepthwiseConv2D, multipliers 1 and 2",
    build: () =>
      stack(
        layers.depthwiseConv2d({ name: "one", kernelSize: 3, inputShape: [7, 7, 3], activation: "relu6" }),
        layers.depthwiseConv2d({ name: "two", kernelSize: 2, depthMultiplier: 2, useBias: false }),
      ),
    input: () => floats(2, 7, 7, 3),
    channels: { "one/depthwise_kernel": "depthwise", "two/depthwise_kernel": "depthwise" },
  },
  {
    name: "SeparableConv2D",
    build: () =>
      stack(
        layers.separableConv2d({ name: "sep", filters: 4, kernelSize: 2, inputShape: [5, 5, 3], activation: "relu" }),
      ),
    input: () => floats(2, 5, 5, 3),
    channels: { "sep/depthwise_kernel": "depthwise", "sep/pointwise_kernel": 3 },
    stayFloat: ["sep/depthwise_kernel", "sep/pointwise_kernel"],
  },
  {
    name: "Conv1D on Embedding",
    build: () =>
      stack(
        layers.embedding({ name: "words", inputDim: 11, outputDim: 6, inputLength: 5 }),
        layers.conv1d({ name: "conv", filters: 4, kernelSize: 3, activation: "tanh" }),
      ),
    input: () =>
      tf.tensor2d(
        [
          [0, 1, 2, 3, 4],
          [10, 9, 8, 1, 1],
        ],
        [2, 5],
        "int32",
      ),
    channels: { "words/embeddings": 1, "conv/kernel": 2 },
  },
  {
    name: "Embedding with mask, LSTM, Dense",
    build: () =>
      stack(
        layers.embedding({ name: "words", inputDim: 11, outputDim: 4, maskZero: true, inputLength: 4 }),
        layers.lstm({ name: "lstm", units: 3 }),
        layers.dense({ name: "fc", units: 2, activation: "softmax" }),
      ),
    input: () =>
      tf.tensor2d(
        [
          [3, 4, 0, 0],
          [10, 9, 8, 1],
        ],
        [2, 4],
        "int32",
      ),
    channels: { "words/embeddings": 1, "lstm/kernel": 1, "lstm/recurrent_kernel": 1, "fc/kernel": 1 },
    stayFloat: ["lstm/kernel", "lstm/recurrent_kernel"],
  },
  {
    name: "GRU and SimpleRNN",
    build: () =>
      stack(
        layers.gru({ name: "gru", units: 4, inputShape: [3, 5], returnSequences: true }) as tf.layers.Layer,
        layers.simpleRNN({ name: "rnn", units: 3 }) as tf.layers.Layer,
      ),
    input: () => floats(2, 3, 5),
    channels: { "gru/kernel": 1, "gru/recurrent_kernel": 1, "rnn/kernel": 1, "rnn/recurrent_kernel": 1 },
    stayFloat: ["gru/kernel", "gru/recurrent_kernel", "rnn/kernel", "rnn/recurrent_kernel"],
  },
  {
    name: "Bidirectional LSTM",
    build: () =>
      stack(
        layers.bidirectional({
          name: "both",
          layer: layers.lstm({ name: "lstm", units: 3 }) as tf.RNN,
          mergeMode: "concat",
          inputShape: [4, 5],
        }) as tf.layers.Layer,
      ),
    input: () => floats(2, 4, 5),
    channels: {
      "both/forward_lstm/kernel": 1,
      "both/forward_lstm/recurrent_kernel": 1,
      "both/backward_lstm/kernel": 1,
      "both/backward_lstm/recurrent_kernel": 1,
    },
    stayFloat: [
      "both/forward_lstm/kernel",
      "both/forward_lstm/recurrent_kernel",
      "both/backward_lstm/kernel",
      "both/backward_lstm/recurrent_kernel",
    ],
  },
  {
    name: "TimeDistributed: Dense and Conv2DTranspose",
    build: () =>
      stack(
        layers.timeDistributed({
          name: "up",
          layer: layers.conv2dTranspose({ filters: 2, kernelSize: 2 }),
          inputShape: [3, 2, 2, 4],
        }),
        layers.timeDistributed({ name: "flat", layer: layers.flatten() }),
        layers.timeDistributed({ name: "fc", layer: layers.dense({ units: 3, activation: "relu" }) }),
      ),
    input: () => floats(2, 3, 2, 2, 4),
    channels: { "up/kernel": 2, "fc/kernel": 1 },
    stayFloat: ["up/kernel", "fc/kernel"],
  },
  {
    name: "TimeDistributed Sequential",
    build: () => {
      const inner = tf.sequential({
        layers: [layers.dense({ name: "inner", units: 3, inputShape: [4], activation: "relu" })],
      });
      return stack(layers.timeDistributed({ name: "each", layer: inner, inputShape: [2, 4] }));
    },
    input: () => floats(2, 2, 4),
    channels: { "inner/kernel": 1 },
    stayFloat: ["inner/kernel"],
  },
  {
    name: "Conv3D, then Dense on 5 dimensions",
    build: () =>
      stack(
        layers.conv3d({ name: "conv", filters: 3, kernelSize: 2, inputShape: [4, 4, 4, 2], activation: "relu" }),
        layers.dense({ name: "fc", units: 2 }),
      ),
    input: () => floats(1, 4, 4, 4, 2),
    channels: { "conv/kernel": 4, "fc/kernel": 1 },
    stayFloat: ["conv/kernel", "fc/kernel"],
  },
  {
    name: "ConvLSTM2D, LayerNormalization over two axes, PReLU",
    build: () =>
      stack(
        layers.convLstm2d({
          name: "lstm",
          filters: 2,
          kernelSize: 2,
          inputShape: [2, 4, 4, 2],
          padding: "same",
        }) as tf.layers.Layer,
        layers.layerNormalization({ name: "norm", axis: [2, 3] }),
        layers.prelu({ name: "prelu" }) as tf.layers.Layer,
      ),
    input: () => floats(1, 2, 4, 4, 2),
    channels: { "lstm/kernel": 3, "lstm/recurrent_kernel": 3, "prelu/alpha": 2 },
    stayFloat: ["lstm/kernel", "lstm/recurrent_kernel", "prelu/alpha"],
  },
  {
    name: "functional: residual, two inputs, two outputs",
    build: () => {
      const a = tf.input({ shape: [6, 6, 3], name: "image" });
      const b = tf.input({ shape: [4], name: "more" });
      const conv = symbolic(
        layers.conv2d({ name: "conv", filters: 3, kernelSize: 3, padding: "same", activation: "relu" }).apply(a),
      );
      const sum = symbolic(layers.add({ name: "sum" }).apply([a, conv]));
      const flat = symbolic(layers.flatten({ name: "flat" }).apply(sum));
      const joined = symbolic(layers.concatenate({ name: "joined" }).apply([flat, b]));
      const first = symbolic(layers.dense({ name: "first", units: 3, activation: "softmax" }).apply(joined));
      const second = symbolic(layers.dense({ name: "second", units: 2 }).apply(b));
      return withWeights(tf.model({ inputs: [a, b], outputs: [first, second], name: "twoways" }));
    },
    input: () => [floats(2, 6, 6, 3), floats(2, 4)],
    channels: { "conv/kernel": 3, "first/kernel": 1, "second/kernel": 1 },
  },
  {
    name: "functional: a layer shared between depths, and applied to its own output",
    build: () => {
      const x = tf.input({ shape: [4] });
      const shared = layers.dense({ name: "shared", units: 4, activation: "tanh" });
      const a = layers.dense({ name: "a", units: 4 });
      const deep = symbolic(shared.apply(a.apply(x)));
      const twice = symbolic(shared.apply(symbolic(shared.apply(x))));
      const after = symbolic(layers.dense({ name: "after", units: 3, useBias: false }).apply(twice));
      return withWeights(tf.model({ inputs: x, outputs: [deep, after, twice] }));
    },
    input: () => floats(3, 4),
    channels: { "shared/kernel": 1, "a/kernel": 1, "after/kernel": 1 },
  },
  {
    name: "nested: Sequential in functional, used twice, frozen",
    build: () => {
      const inner = tf.sequential({
        name: "inner",
        layers: [
          layers.dense({ name: "in1", units: 4, inputShape: [4], activation: "relu" }),
          layers.batchNormalization({ name: "bn" }),
          layers.dense({ name: "in2", units: 4 }),
        ],
      });
      const x = tf.input({ shape: [4] });
      const twice = symbolic(inner.apply(symbolic(inner.apply(x))));
      const model = withWeights(
        tf.model({ inputs: x, outputs: symbolic(layers.dense({ name: "head", units: 4 }).apply(twice)) }),
      );
      inner.trainable = false;
      return model;
    },
    input: () => floats(3, 4),
    channels: { "in1/kernel": 1, "in2/kernel": 1, "head/kernel": 1 },
  },
  {
    name: "nested: functional in Sequential, a frozen layer",
    build: () => {
      const x = tf.input({ shape: [5, 5, 2] });
      const conv = layers.conv2d({
        name: "conv",
        filters: 2,
        kernelSize: 3,
        padding: "same",
        trainable: false,
        activation: "relu6",
      });
      const inner = tf.model({
        inputs: x,
        outputs: symbolic(layers.add().apply([x, symbolic(conv.apply(x))])),
        name: "block",
      });
      return stack(
        inner,
        layers.globalAveragePooling2d({ name: "gap" }) as tf.layers.Layer,
        layers.dense({ name: "fc", units: 3 }),
      );
    },
    input: () => floats(2, 5, 5, 2),
    channels: { "conv/kernel": 3, "fc/kernel": 1 },
  },
];
