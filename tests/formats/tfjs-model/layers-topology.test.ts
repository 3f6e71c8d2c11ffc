import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json } from "../../../src/formats/tfjs-model/artifacts.js";
import {
  isLayersTopology,
  quantizableLayersWeights,
  scalableWeights,
  scaleAfterLayers,
} from "../../../src/formats/tfjs-model/layers-topology.js";

const layer = (type: string, name: string, config: object = {}, rest: object = {}): Json => ({
  class_name: type,
  config: { name, ...config },
  ...rest,
});
const sequential = (...layers: Json[]): Json => ({ class_name: "Sequential", config: { name: "model", layers } });
const wrapping = (type: string, name: string, inner: Json, config: object = {}): Json =>
  layer(type, name, { layer: inner, ...config });
const normalization = (name: string, center: boolean): Json => ({
  class_name: "BatchNormalization",
  config: { name, trainable: false, axis: -1, momentum: 0.99, epsilon: 2 ** -10, center, scale: true },
});
const activation = (name: string, kind: unknown): Json => ({
  class_name: "Activation",
  config: { name, trainable: true, activation: kind },
});

describe("quantizableLayersWeights", () => {
  const roles = (topology: Json, ...weights: [string, number[]][]): unknown[] =>
    quantizableLayersWeights(
      topology,
      weights.map(([name, shape]) => ({ name, shape })),
    ).map(({ name, layer: { name: owner, type }, axis, viewShape }) => [name, owner, type, viewShape, axis]);

  it("finds the layer of Python's longer names; biases of rank 2 stay", () => {
    const topology = sequential(
      layer("GRU", "gru"),
      layer("Dense", "fc"),
      wrapping("Bidirectional", "both", layer("LSTM", "lstm")),
    );
    const found = roles(
      topology,
      ["gru/gru_cell/kernel", [4, 9]],
      ["gru/gru_cell/bias", [2, 9]],
      ["model/fc/kernel", [3, 2]],
      ["both/forward_lstm/lstm_cell/recurrent_kernel", [4, 8]],
      ["both/backward_lstm/lstm_cell/bias", [8]],
      ["elsewhere/kernel", [3, 3]],
      ["gru", [3, 3]],
    );
    assert.deepEqual(found, [
      ["gru/gru_cell/kernel", "gru", "GRU", [4, 9], 1],
      ["model/fc/kernel", "fc", "Dense", [3, 2], 1],
      ["both/forward_lstm/lstm_cell/recurrent_kernel", "forward_lstm", "LSTM", [4, 8], 1],
    ]);
  });

  it("tells names with slashes apart", () => {
    const topology = sequential(layer("Dense", "a"), layer("Conv2DTranspose", "a/b"), layer("Conv2D", "b"));
    const found = roles(topology, ["a/b/kernel", [2, 2, 3, 4]], ["b/kernel", [2, 2, 3, 4]], ["a/kernel", [3, 4]]);
    assert.deepEqual(found, [
      ["a/b/kernel", "a/b", "Conv2DTranspose", [2, 2, 3, 4], 2],
      ["b/kernel", "b", "Conv2D", [2, 2, 3, 4], 3],
      ["a/kernel", "a", "Dense", [3, 4], 1],
    ]);
  });

  it("sees through wrappers to the class inside", () => {
    const topology = sequential(
      wrapping("TimeDistributed", "up", layer("Conv3DTranspose", "inner")),
      wrapping("TimeDistributed", "twice", wrapping("TimeDistributed", "x", layer("LayerNormalization", "norm"))),
      wrapping("TimeDistributed", "dw", layer("DepthwiseConv2D", "d")),
    );
    const found = roles(
      topology,
      ["up/kernel", [2, 2, 2, 5, 4]],
      ["twice/gamma", [3, 4]],
      ["dw/depthwise_kernel", [3, 3, 4, 2]],
    );
    assert.deepEqual(found, [
      ["up/kernel", "up", "Conv3DTranspose", [2, 2, 2, 5, 4], 3],
      ["dw/depthwise_kernel", "dw", "DepthwiseConv2D", [3, 3, 1, 8], 3],
    ]);
  });
});

describe("scalableWeights", () => {
  const scalable = (topology: Json, name = "fc/kernel", shape = [3, 2]): boolean =>
    scalableWeights(topology, quantizableLayersWeights(topology, [{ name, shape }])).has(name);
  const fc = layer("Dense", "fc");
  const input = (...shape: (number | null)[]): Json => layer("InputLayer", "in", { batch_input_shape: shape });

  it("Dense up to 4 dimensions, batch included", () => {
    assert.equal(scalable(sequential(input(null, 8, 8, 3), fc)), true);
    assert.equal(scalable(sequential(input(null, 8, 8, 8, 3), fc)), false);
    assert.equal(scalable(sequential(layer("Reshape", "r", { target_shape: [2, 2, 3] }), fc)), true);
    assert.equal(scalable(sequential(layer("Reshape", "r", { target_shape: [2, 2, 2, 3] }), fc)), false);
  });

  it("wrappers and embeddings add a dimension", () => {
    const reshape = layer("Reshape", "r", { target_shape: [2, 2, 3] });
    assert.equal(scalable(sequential(wrapping("TimeDistributed", "t", reshape), fc)), false);
    assert.equal(scalable(sequential(wrapping("TimeDistributed", "t", sequential(reshape)), fc)), false);
    const words = (...shape: (number | null)[]): Json =>
      sequential(layer("Embedding", "words", { batch_input_shape: shape }));
    assert.equal(scalable(words(null, 7, 7), "words/embeddings"), true);
    assert.equal(scalable(words(null, 7, 7, 7), "words/embeddings"), false);
  });

  it("not in wrappers, not with channels first, not under another name", () => {
    assert.equal(scalable(sequential(wrapping("TimeDistributed", "t", fc))), false);
    assert.equal(scalable(sequential(wrapping("TimeDistributed", "t", sequential(sequential(fc))))), false);
    assert.equal(scalable(sequential(sequential(fc))), true);
    const conv = (data_format: string): Json => sequential(layer("Conv2D", "conv", { data_format }));
    assert.equal(scalable(conv("channels_last"), "conv/kernel", [1, 1, 2, 2]), true);
    assert.equal(scalable(conv("channels_first"), "conv/kernel", [1, 1, 2, 2]), false);
    assert.equal(scalable(sequential(fc), "scope/fc/kernel"), false);
    assert.equal(scalable(sequential(fc), "fc/other"), false);
  });
});

describe("scaleAfterLayers", () => {
  it("a Sequential as list of layers: bias and activation follow the scales", () => {
    const dense = layer("Dense", "fc", { units: 2, use_bias: true, activation: "relu6", batch_input_shape: [null, 3] });
    const topology = {
      class_name: "Sequential",
      config: [dense, layer("Dense", "out", { use_bias: false, activation: "linear" })],
    };
    const { topology: scaled, layers } = scaleAfterLayers(topology, new Set(["fc", "out"]));
    assert.deepEqual(scaled, {
      class_name: "Sequential",
      config: [
        layer("Dense", "fc", { units: 2, use_bias: false, activation: "linear", batch_input_shape: [null, 3] }),
        normalization("fc_scale", true),
        activation("fc_activation", "relu6"),
        layer("Dense", "out", { use_bias: false, activation: "linear" }),
        normalization("out_scale", false),
      ],
    });
    assert.deepEqual(
      [...layers].map(([name, { scale, useBias }]) => [name, scale, useBias]),
      [
        ["fc", "fc_scale", true],
        ["out", "out_scale", false],
      ],
    );
    assert.deepEqual(topology.config[0], dense);
  });

  it("keeps Python's wrapper, nested models, and activations given as objects", () => {
    const relu = { class_name: "ReLU", config: { max_value: 6 } };
    const nested = sequential(sequential(layer("Conv2D", "conv", { use_bias: false, activation: relu })));
    const python = { keras_version: "2.4.0", model_config: nested, training_config: { loss: "mse" } };
    const { topology } = scaleAfterLayers(python, new Set(["conv"]));
    const parts = [
      layer("Conv2D", "conv", { use_bias: false, activation: "linear" }),
      normalization("conv_scale", false),
      activation("conv_activation", relu),
    ];
    assert.deepEqual(topology, { ...python, model_config: sequential(sequential(...parts)) });
  });

  it("a missing use_bias means a bias, as in Keras; Embedding has none", () => {
    const { topology, layers } = scaleAfterLayers(
      sequential(layer("Dense", "fc"), layer("Embedding", "words")),
      new Set(["fc", "words"]),
    );
    assert.deepEqual(
      [...layers.values()].map(({ useBias }) => useBias),
      [true, false],
    );
    const [dense, , embedding] = (topology.config as { layers: Json[] }).layers;
    assert.deepEqual(dense, layer("Dense", "fc", { use_bias: false, activation: "linear" }));
    assert.deepEqual(embedding, layer("Embedding", "words"));
  });

  it("new names are new", () => {
    const taken = ["fc_scale", "fc_scale_1", "fc_activation"].map((name) => layer("Flatten", name));
    const dense = layer("Dense", "fc", { activation: "tanh" });
    const { topology } = scaleAfterLayers(sequential(dense, sequential(...taken)), new Set(["fc"]));
    const names = (topology.config as { layers: { config: { name: string } }[] }).layers.map(
      ({ config }) => config.name,
    );
    assert.deepEqual(names, ["fc", "fc_scale_2", "fc_activation_1", "model"]);
  });

  it("relinks every node of a shared layer, its own inputs and the outputs of the model included", () => {
    const node = (...from: [string, number][]): unknown[] => from.map(([name, index]) => [name, index, 0, {}]);
    const functional = (layers: Json[], output: unknown): Json => ({
      class_name: "Functional",
      config: { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: output },
    });
    const at = (made: Json, name: string, ...inbound: unknown[][]): Json => ({ ...made, name, inbound_nodes: inbound });
    const config = { use_bias: true, activation: "tanh" };
    const x = at(layer("InputLayer", "x"), "x");
    const before = functional(
      [
        x,
        at(layer("Dense", "s", config), "s", node(["x", 0]), node(["s", 0])),
        at(layer("Add", "add"), "add", node(["x", 0], ["s", 0], ["s", 1])),
      ],
      [
        ["add", 0, 0],
        ["s", 1, 0],
      ],
    );
    const bare = { use_bias: false, activation: "linear" };
    const after = functional(
      [
        x,
        at(layer("Dense", "s", bare), "s", node(["x", 0]), node(["s_activation", 0])),
        at(normalization("s_scale", true), "s_scale", node(["s", 0]), node(["s", 1])),
        at(activation("s_activation", "tanh"), "s_activation", node(["s_scale", 0]), node(["s_scale", 1])),
        at(layer("Add", "add"), "add", node(["x", 0], ["s_activation", 0], ["s_activation", 1])),
      ],
      [
        ["add", 0, 0],
        ["s_activation", 1, 0],
      ],
    );
    assert.deepEqual(scaleAfterLayers(before, new Set(["s"])).topology, after);
    const single = scaleAfterLayers(functional([x, before.config as Json], ["s", 0, 0]), new Set(["s"])).topology;
    assert.deepEqual((single.config as Json).output_layers, ["s", 0, 0]);
  });
});

it("isLayersTopology: Keras JSON, with or without wrapper", () => {
  assert.equal(isLayersTopology(sequential()), true);
  assert.equal(isLayersTopology({ model_config: sequential() }), true);
  for (const other of [{ node: [] }, {}, null, [], { model_config: "text" }])
    assert.equal(isLayersTopology(other), false);
});
