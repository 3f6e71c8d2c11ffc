import * as tf from "@tensorflow/tfjs";

type Symbolic = tf.SymbolicTensor;
const { layers } = tf;

/** A layer that stock tfjs does not have, of two outputs. */
class SplitHalves extends layers.Layer {
  static className = "SplitHalves";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    const [x] = [inputs].flat();
    return tf.split(x, 2, -1);
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape[] {
    const half = [...shape.slice(0, -1), (shape.at(-1) as number) / 2];
    return [half, half];
  }
}
tf.serialization.registerClass(SplitHalves);

const input = (shape: (number | null)[], name = "image"): Symbolic => tf.input({ shape, name });
const apply = (layer: tf.layers.Layer, x: Symbolic | Symbolic[]): Symbolic => layer.apply(x) as Symbolic;
const chain = (x: Symbolic, ...steps: tf.layers.Layer[]): Symbolic => steps.reduce((y, layer) => apply(layer, y), x);
const conv = (name: string, filters: number, more: object = {}) =>
  layers.conv2d({ name, filters, kernelSize: 3, padding: "same", ...more });
const bn = (name: string, more: object = {}) => layers.batchNormalization({ name, ...more });
const relu = (name: string) => layers.reLU({ name });
const relu6 = (name: string) => layers.reLU({ name, maxValue: 6 });

/** A nested model: conv, batch norm, relu, conv. */
function block(name: string, channels: number): tf.LayersModel {
  const x = input([8, 8, channels], `${name}_in`);
  const y = chain(x, conv("conv", channels, { useBias: false }), bn("bn"), relu("relu"), conv("out", channels));
  return tf.model({ inputs: x, outputs: y, name });
}

/** Models of every structure that the import knows, by what they show. */
export const MODELS: Readonly<Record<string, () => tf.LayersModel>> = {
  sequential: () =>
    tf.sequential({
      name: "sequential",
      layers: [
        conv("conv", 4, { inputShape: [8, 8, 3], activation: "relu" }),
        layers.maxPooling2d({ name: "pool", poolSize: 2 }),
        layers.flatten({ name: "flat" }),
        layers.dropout({ name: "drop", rate: 0.5 }),
        layers.dense({ name: "dense", units: 5, activation: "softmax" }),
      ],
    }),

  "batch norm before activation": () => {
    const x = input([8, 8, 3]);
    const y = chain(x, conv("conv", 4), bn("bn"), relu6("relu6"), conv("last", 2, { useBias: false }), bn("bn_last"));
    return tf.model({ inputs: x, outputs: y });
  },

  "batch norm after activation": () => {
    const x = input([8, 8, 3]);
    const y = chain(x, conv("conv", 4, { activation: "relu" }), bn("bn"), conv("last", 2));
    return tf.model({ inputs: x, outputs: y });
  },

  "batch norm without convolution": () => {
    const x = input([8, 8, 4]);
    const pooled = apply(layers.maxPooling2d({ name: "pool", poolSize: 2 }), x);
    const y = chain(pooled, bn("bn", { scale: false }), relu("relu"), layers.globalAveragePooling2d({ name: "gap" }));
    return tf.model({ inputs: x, outputs: y });
  },

  "batch norm of a convolution with two readers": () => {
    const x = input([8, 8, 3]);
    const c = apply(conv("conv", 4), x);
    return tf.model({
      inputs: x,
      outputs: [chain(c, bn("bn"), relu("relu")), apply(layers.activation({ activation: "tanh", name: "tanh" }), c)],
    });
  },

  "batch norm over another axis": () => {
    const x = input([8, 6, 4]);
    return tf.model({ inputs: x, outputs: chain(x, conv("conv", 4), bn("bn", { axis: 1 }), relu("relu")) });
  },

  "batch norm behind dense": () => {
    const x = input([6]);
    const y = chain(
      x,
      layers.dense({ name: "fc1", units: 8 }),
      bn("bn"),
      relu("relu"),
      layers.dense({ name: "fc2", units: 3 }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  residual: () => {
    const x = input([8, 8, 4]);
    const a = chain(x, conv("conv1", 4, { useBias: false }), bn("bn1"), relu("relu1"));
    const b = chain(a, conv("conv2", 4, { useBias: false }), bn("bn2"));
    const sum = apply(layers.add({ name: "add" }), [a, b]);
    return tf.model({ inputs: x, outputs: chain(sum, relu("relu2"), layers.globalAveragePooling2d({ name: "gap" })) });
  },

  "residual of two branches with weights": () => {
    const x = input([8, 8, 3]);
    const half = { strides: 2, useBias: false };
    const a = chain(
      x,
      conv("a1", 4, half),
      bn("a1_bn"),
      relu("a1_relu"),
      conv("a2", 4, { useBias: false }),
      bn("a2_bn"),
    );
    const b = chain(x, conv("b", 4, { ...half, kernelSize: 1 }), bn("b_bn"));
    const sum = apply(layers.add({ name: "add" }), [a, b]);
    return tf.model({ inputs: x, outputs: chain(sum, relu("relu"), conv("last", 2)) });
  },

  inception: () => {
    const x = input([8, 8, 4]);
    const a = chain(x, conv("a", 3), relu("a_relu"));
    const b = chain(x, conv("b", 2), layers.maxPooling2d({ name: "b_pool", poolSize: 3, strides: 1, padding: "same" }));
    const c = chain(
      x,
      layers.averagePooling2d({ name: "c_pool", poolSize: 3, strides: 1, padding: "same" }),
      conv("c", 2),
    );
    const inner = apply(layers.concatenate({ name: "inner" }), [a, b]);
    const outer = apply(layers.concatenate({ name: "outer" }), [inner, c]);
    return tf.model({ inputs: x, outputs: apply(conv("last", 2), outer) });
  },

  "several inputs and outputs": () => {
    const x = input([6], "left");
    const y = input([6], "right");
    const z = input([6], "gate");
    const sum = apply(layers.add({ name: "sum" }), [x, y, z]);
    const product = apply(layers.multiply({ name: "product" }), [sum, x]);
    const head = apply(layers.dense({ name: "head", units: 3 }), product);
    return tf.model({ inputs: [x, y, z], outputs: [head, product] });
  },

  "shared convolution and batch norm": () => {
    const x = input([8, 8, 3], "left");
    const y = input([8, 8, 3], "right");
    const shared = [conv("conv", 4), bn("bn"), relu("relu")];
    const join = layers.concatenate({ name: "join" });
    return tf.model({ inputs: [x, y], outputs: apply(join, [chain(x, ...shared), chain(y, ...shared)]) });
  },

  "shared convolution, batch norm behind one use": () => {
    const x = input([8, 8, 3], "left");
    const y = input([8, 8, 3], "right");
    const shared = conv("conv", 4);
    const a = chain(apply(shared, x), bn("bn"), relu("relu"));
    const b = chain(apply(shared, y), relu6("relu6"));
    return tf.model({ inputs: [x, y], outputs: apply(layers.add({ name: "add" }), [a, b]) });
  },

  "nested model used twice": () => {
    const x = input([8, 8, 3]);
    const inner = block("block", 3);
    const last = layers.dense({ name: "last", units: 2 });
    return tf.model({ inputs: x, outputs: chain(x, inner, inner, layers.flatten({ name: "flat" }), last) });
  },

  "sequential in functional, with a layer of the same name": () => {
    const x = input([8, 8, 3]);
    const inner = tf.sequential({ name: "inner", layers: [conv("conv", 4, { inputShape: [8, 8, 3] }), relu("relu")] });
    return tf.model({ inputs: x, outputs: chain(x, inner, conv("conv", 2), relu("relu")) });
  },

  "functional in sequential in sequential": () =>
    tf.sequential({
      layers: [
        tf.sequential({ name: "outer", layers: [conv("first", 3, { inputShape: [8, 8, 3] }), block("block", 3)] }),
        layers.globalMaxPooling2d({ name: "gmp" }),
      ],
    }),

  "nested model of two inputs and outputs": () => {
    const a = input([4], "inner_a");
    const b = input([4], "inner_b");
    const difference = apply(layers.dense({ name: "fc", units: 4 }), apply(layers.multiply({ name: "mul" }), [a, b]));
    const inner = tf.model({ inputs: [a, b], outputs: [difference, apply(relu("relu"), a)], name: "inner" });
    const x = input([4], "x");
    const [p, q] = inner.apply([x, apply(layers.dense({ name: "pre", units: 4 }), x)]) as Symbolic[];
    return tf.model({ inputs: x, outputs: [q, p] });
  },

  "frozen layers": () => {
    const x = input([8, 8, 3]);
    const frozen = block("frozen", 3);
    frozen.trainable = false;
    const still = conv("still", 3, { trainable: false });
    return tf.model({ inputs: x, outputs: chain(x, frozen, still, bn("bn", { trainable: false }), conv("free", 2)) });
  },

  "strides, dilations and paddings": () => {
    const x = input([13, 11, 3]);
    const y = chain(
      x,
      layers.zeroPadding2d({
        name: "pad",
        padding: [
          [0, 1],
          [2, 1],
        ],
      }),
      conv("strided", 4, { strides: [2, 1], padding: "valid", kernelSize: [3, 2] }),
      conv("dilated", 4, { dilationRate: [2, 2] }),
      layers.depthwiseConv2d({ name: "dw", kernelSize: 3, depthMultiplier: 2, strides: 2, padding: "same" }),
      layers.depthwiseConv2d({ name: "dw_dilated", kernelSize: 2, dilationRate: 2, padding: "valid" }),
      layers.separableConv2d({ name: "sep", filters: 5, kernelSize: 2, depthMultiplier: 2, activation: "relu" }),
      bn("bn"),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  "depthwise separable with batch norms": () => {
    const x = input([8, 8, 3]);
    const dw = layers.depthwiseConv2d({
      name: "dw",
      kernelSize: 3,
      depthMultiplier: 2,
      padding: "same",
      useBias: false,
    });
    const sep = layers.separableConv2d({ name: "sep", filters: 4, kernelSize: 3, useBias: false });
    return tf.model({
      inputs: x,
      outputs: chain(x, dw, bn("dw_bn"), relu6("dw_relu"), sep, bn("sep_bn"), relu("sep_relu")),
    });
  },

  "one-dimensional convolutions": () => {
    const x = input([16, 3], "sound");
    const y = chain(
      x,
      layers.conv1d({ name: "conv1", filters: 4, kernelSize: 3, strides: 2, padding: "same", useBias: false }),
      bn("bn1"),
      relu("relu1"),
      layers.maxPooling1d({ name: "pool", poolSize: 2, strides: 1, padding: "valid" }),
      layers.conv1d({ name: "conv2", filters: 4, kernelSize: 2, dilationRate: 2, activation: "relu" }),
      layers.averagePooling1d({ name: "average", poolSize: 2 }),
      layers.globalAveragePooling1d({ name: "gap" }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  "one-dimensional convolutions of unknown length": () => {
    const x = input([null, 3], "sound");
    const y = chain(
      x,
      layers.conv1d({ name: "conv1", filters: 4, kernelSize: 3, activation: "relu" }),
      layers.conv1d({ name: "conv2", filters: 4, kernelSize: 3, activation: "sigmoid" }),
      layers.globalMaxPooling1d({ name: "gmp" }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  "every activation": () => {
    const x = input([5]);
    const y = chain(
      x,
      layers.dense({ name: "swish", units: 6, activation: "swish" }),
      layers.dense({ name: "tanh", units: 6, activation: "tanh" }),
      layers.dense({ name: "sigmoid", units: 6, activation: "sigmoid" }),
      layers.activation({ name: "linear", activation: "linear" }),
      layers.leakyReLU({ name: "leaky", alpha: 0.2 }),
      layers.dense({ name: "relu6", units: 6, activation: "relu6" }),
      layers.activation({ name: "elu", activation: "elu" }),
      layers.reLU({ name: "relu2", maxValue: 2 }),
      layers.activation({ name: "relu", activation: "relu" }),
      layers.elu({ name: "elu_layer" }),
      layers.softmax({ name: "softmax", axis: -1 }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  "shapes that change": () => {
    const x = input([4, 6, 2]);
    const y = chain(
      x,
      layers.upSampling2d({ name: "nearest", size: [2, 1] }),
      layers.upSampling2d({ name: "bilinear", size: [1, 3], interpolation: "bilinear" }),
      layers.reshape({ name: "reshape", targetShape: [8, -1] as number[] }),
      layers.permute({ name: "permute", dims: [2, 1] }),
      layers.reshape({ name: "back", targetShape: [6, 6, 8] }),
      layers.permute({ name: "same_order", dims: [1, 2, 3] }),
      layers.dropout({ name: "no_dropout", rate: 0 }),
      layers.gaussianNoise({ name: "noise", stddev: 1 }),
      layers.zeroPadding2d({ name: "no_pad", padding: 0 }),
      layers.dense({ name: "dense", units: 3 }),
      layers.flatten({ name: "flatten" }),
      layers.reshape({ name: "same_shape", targetShape: [108] }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  "squeeze and excitation": () => {
    const x = input([6, 6, 4]);
    const gate = chain(
      x,
      layers.globalAveragePooling2d({ name: "gap" }),
      layers.dense({ name: "reduce", units: 2, activation: "relu" }),
      layers.dense({ name: "expand", units: 4, activation: "sigmoid" }),
      layers.reshape({ name: "gate", targetShape: [1, 1, 4] }),
    );
    return tf.model({ inputs: x, outputs: chain(apply(layers.multiply({ name: "scale" }), [x, gate]), relu("relu")) });
  },

  "merge of different ranks": () => {
    const x = input([4, 3], "sequence");
    const y = input([3], "vector");
    return tf.model({ inputs: [x, y], outputs: apply(layers.add({ name: "add" }), [x, y]) });
  },

  "channels first": () => {
    const x = input([6, 6, 4]);
    const pool = layers.maxPooling2d({ name: "pool", poolSize: 2, dataFormat: "channelsFirst" });
    return tf.model({
      inputs: x,
      outputs: chain(x, pool, layers.flatten({ name: "flat", dataFormat: "channelsFirst" })),
    });
  },

  "recurrent and wrapped layers": () => {
    const x = input([5, 3], "sequence");
    const y = chain(
      x,
      layers.bidirectional({
        name: "bi",
        layer: layers.lstm({ name: "m", units: 2, returnSequences: true }) as tf.RNN,
        mergeMode: "concat",
      }),
      layers.timeDistributed({ name: "each", layer: layers.dense({ name: "inner", units: 3 }) }),
      layers.gru({ name: "gru", units: 3 }),
      layers.dense({ name: "head", units: 2 }),
    );
    return tf.model({ inputs: x, outputs: y });
  },

  embedding: () => {
    const ids = tf.input({ shape: [5], name: "ids", dtype: "int32" });
    const y = chain(
      ids,
      layers.embedding({ name: "embedding", inputDim: 10, outputDim: 4 }),
      layers.conv1d({ name: "conv", filters: 3, kernelSize: 2 }),
      layers.globalMaxPooling1d({ name: "gmp" }),
    );
    return tf.model({ inputs: ids, outputs: y });
  },

  "custom layers": () => {
    const x = input([6]);
    const [a, b] = new SplitHalves({ name: "split" }).apply(x) as Symbolic[];
    return tf.model({ inputs: x, outputs: [apply(layers.dense({ name: "dense", units: 2 }), b), a] });
  },

  "identity at the outputs": () => {
    const x = input([6]);
    const d = apply(layers.dense({ name: "dense", units: 3 }), x);
    const named = apply(layers.activation({ name: "named", activation: "linear" }), d);
    const again = apply(layers.activation({ name: "again", activation: "linear" }), d);
    const through = apply(layers.activation({ name: "through", activation: "linear" }), x);
    return tf.model({ inputs: x, outputs: [named, apply(relu("relu"), d), again, through] });
  },
};

/** Models of the zoo that integers compute. */
export const CONVERTIBLE = Object.keys(MODELS).filter(
  (name) =>
    ![
      "batch norm over another axis",
      "one-dimensional convolutions of unknown length",
      "every activation",
      "merge of different ranks",
      "channels first",
      "recurrent and wrapped layers",
      "embedding",
      "custom layers",
    ].includes(name),
);

/**
 * Gives a model weights that hide nothing: random biases and statistics instead of zeros and ones. Matrices are scaled so
 * that values stay near 1, where 1e-5 is some fifty float32 ulps.
 */
export function randomizeWeights(model: tf.LayersModel, seed = 1): void {
  tf.tidy(() => {
    model.setWeights(
      model.weights.map(({ originalName, shape }, i) => {
        const sizes = shape as number[];
        const fanIn = sizes.slice(0, -1).reduce((product, size) => product * size, 1);
        const random = tf.randomNormal(sizes, 0, sizes.length > 1 ? fanIn ** -0.5 : 0.5, "float32", seed + i);
        return originalName.endsWith("moving_variance") || originalName.endsWith("gamma")
          ? tf.add(tf.abs(random), 0.5)
          : random;
      }),
    );
  });
}

/** Random inputs of batch 2 for a model; unknown sizes are 9. */
export function sampleInputs(model: tf.LayersModel): tf.Tensor[] {
  return model.inputs.map(({ shape, dtype }, i) => {
    const sizes = shape.map((size, axis) => (axis === 0 ? 2 : (size ?? 9)));
    return dtype === "int32"
      ? tf.randomUniformInt(sizes, 0, 10, 3 + i)
      : tf.randomNormal(sizes, 0, 1, "float32", 7 + i);
  });
}
