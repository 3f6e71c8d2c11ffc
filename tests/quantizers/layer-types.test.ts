import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLayerType, KNOWN_LAYER_TYPES } from "../../src/quantizers/layer-types.js";

describe("isLayerType", () => {
  it("takes PyTorch's and Keras's names as one, both ways", () => {
    for (const [torch, keras] of [
      ["Conv1d", "Conv1D"],
      ["Conv2d", "Conv2D"],
      ["Conv3d", "Conv3D"],
      ["ConvTranspose2d", "Conv2DTranspose"],
      ["ConvTranspose3d", "Conv3DTranspose"],
      ["Linear", "Dense"],
      ["RNN", "SimpleRNN"],
      ["BatchNorm2d", "BatchNormalization"],
      ["LayerNorm", "LayerNormalization"],
      ["MaxPool2d", "MaxPooling2D"],
    ]) {
      assert.equal(isLayerType(torch, keras), true, `${torch} as ${keras}`);
      assert.equal(isLayerType(keras, torch), true, `${keras} as ${torch}`);
      assert.equal(isLayerType(keras, keras), true, keras);
    }
    for (const type of ["Embedding", "LSTM", "GRU", "PReLU", "ReLU"]) assert.equal(isLayerType(type, type), true, type);
    assert.equal(isLayerType("Conv2d", "Conv1d"), false);
    assert.equal(isLayerType("Conv2d", "Linear"), false);
  });

  it("knows the ops of a tfjs GraphModel", () => {
    assert.equal(isLayerType("_FusedMatMul", "Dense"), true);
    assert.equal(isLayerType("_FusedConv2D", "Conv2d"), true);
    assert.equal(isLayerType("DepthwiseConv2dNative", "DepthwiseConv2D"), true);
    assert.equal(isLayerType("Conv2DBackpropInput", "Conv2DTranspose"), true);
  });

  it("finds depthwise and separable convolutions for Conv2d in either spelling, and not the other way round", () => {
    for (const type of ["DepthwiseConv2D", "FusedDepthwiseConv2dNative", "SeparableConv2D"]) {
      assert.equal(isLayerType(type, "Conv2d"), true, type);
      assert.equal(isLayerType(type, "Conv2D"), true, type);
      assert.equal(isLayerType("Conv2D", type), false, type);
    }
    assert.equal(isLayerType("DepthwiseConv2D", "SeparableConv2D"), false);
  });

  it("means by default NNI's weighted modules and tfjs's layers with matrices", () => {
    const nni =
      "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Linear Bilinear PReLU Embedding EmbeddingBag";
    const tfjs =
      "Conv1D Conv2D Conv3D Conv2DTranspose Conv3DTranspose DepthwiseConv2D SeparableConv2D Dense EinsumDense Embedding SimpleRNN LSTM GRU ConvLSTM2D Bidirectional TimeDistributed MultiHeadAttention PositionEmbedding";
    for (const type of `${nni} ${tfjs}`.split(" ")) assert.equal(isLayerType(type, "default"), true, type);
    for (const type of ["BatchNorm2d", "BatchNormalization", "LayerNorm", "ReLU", "Flatten", "Net", "", "default"]) {
      assert.equal(isLayerType(type, "default"), false, type);
    }
  });

  it("compares types it does not know by their exact name", () => {
    assert.equal(isLayerType("Net", "Net"), true);
    assert.equal(isLayerType("Net", "net"), false);
    assert.equal(isLayerType("Net", "Conv2d"), false);
    assert.equal(isLayerType("Conv2d", "conv2d"), false);
    assert.equal(isLayerType("SeparableConv2D", "Nope"), false);
  });
});

it("KNOWN_LAYER_TYPES has every name once", () => {
  assert.equal(new Set(KNOWN_LAYER_TYPES).size, KNOWN_LAYER_TYPES.length);
  assert.equal(KNOWN_LAYER_TYPES[0], "default");
});
