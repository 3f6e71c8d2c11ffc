import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { nsfwModel } from "../../examples/data/models.js";
import { foldBatchNorm } from "../../src/graph/passes/fold-batch-norm.js";
import { fuseActivation } from "../../src/graph/passes/fuse-activation.js";
import { placeQuantizers } from "../../src/graph/passes/place-quantizers.js";
import { removeIdentity } from "../../src/graph/passes/remove-identity.js";
import { sinkReshape } from "../../src/graph/passes/sink-reshape.js";
import { printGraph } from "../../src/graph/print-graph.js";
import type { Graph, GraphNode } from "../../src/graph/types.js";
import { validateGraph } from "../../src/graph/validate.js";
import { importLayersModel } from "../../src/tfjs/import-layers-model.js";
import { runGraph } from "../graph/run-graph.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

const DEFAULTS = { weightBits: 8, activationBits: 8, granularity: "perChannel", symmetric: false } as const;

/** The passes in the order in which they are used. */
const PASSES: readonly (readonly [string, (graph: Graph) => Graph])[] = [
  ["removeIdentity", removeIdentity],
  ["sinkReshape", sinkReshape],
  ["removeIdentity after sinkReshape", removeIdentity],
  ["foldBatchNorm", foldBatchNorm],
  ["fuseActivation", fuseActivation],
  ["placeQuantizers", (graph) => placeQuantizers(graph, DEFAULTS)],
];

describe("importLayersModel computes what the model computes, before and after each pass", () => {
  for (const [name, make] of Object.entries(MODELS)) {
    it(name, () => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const expected = [model.predict(inputs)].flat();
      const before = tf.memory().numTensors;
      const { graph, weights } = importLayersModel(model);
      assert.equal(tf.memory().numTensors, before, "tensors are borrowed");
      assert.deepEqual(JSON.parse(JSON.stringify(graph)), graph, "the graph is plain data");
      assert.deepEqual([...weights.keys()].sort(), Object.keys(graph.weights).sort());

      const check = (step: string, current: Graph) => {
        validateGraph(current);
        assert.deepEqual(
          current.outputs.map((output) => current.values[output].shape),
          model.outputs.map(({ shape }) => shape),
          step,
        );
        const actual = runGraph(current, weights, inputs);
        assert.equal(actual.length, expected.length);
        actual.forEach((output, i) => {
          assert.deepEqual(output.shape, expected[i].shape);
          const error = tf.tidy(() => tf.max(tf.abs(tf.sub(output, expected[i]))).dataSync()[0]);
          assert.ok(error <= 1e-5, `${step}: output ${i} differs by ${error}`);
        });
        tf.dispose(actual);
      };
      check("import", graph);
      let current = graph;
      for (const [pass, run] of PASSES) {
        const after = run(current);
        check(pass, after);
        assert.deepEqual(run(after), after, `${pass} twice`);
        current = after;
      }
      assert.equal(tf.memory().numTensors, before, "no tensor is left");

      const again = [model.predict(inputs)].flat();
      expected.forEach((output, i) => {
        assert.deepEqual(again[i].dataSync(), output.dataSync(), "the model is unharmed");
      });
      tf.dispose([...inputs, ...expected, ...again]);
      model.dispose();
    });
  }
});

/** The graph of a model of the zoo. */
function imported(name: string): Graph {
  const model = MODELS[name]();
  const { graph } = importLayersModel(model);
  model.dispose();
  return graph;
}

/** The graph after every pass. */
function prepared(graph: Graph): Graph {
  return PASSES.reduce((current, [, run]) => run(current), graph);
}

function node<O extends GraphNode["op"]>(graph: Graph, name: string, op: O): Extract<GraphNode, { op: O }> {
  const found = graph.nodes.find((candidate) => candidate.name === name);
  assert.equal(found?.op, op, name);
  return found as Extract<GraphNode, { op: O }>;
}

/** How many nodes of each op there are. */
function counts({ nodes }: Graph): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { op } of nodes) found[op] = (found[op] ?? 0) + 1;
  return found;
}

describe("importLayersModel, structure", () => {
  it("keeps the names of layers, inputs and outputs, and where each node came from", () => {
    const graph = imported("several inputs and outputs");
    assert.deepEqual(graph.inputs, ["left", "right", "gate"]);
    assert.deepEqual(graph.outputs, ["head", "product"]);
    const head = node(graph, "head", "dense");
    assert.deepEqual([head.layer.id, head.layer.className, head.layer.config.units], ["head", "Dense", 3]);
    assert.deepEqual([head.weights, head.bias, head.weightsShape], ["head/kernel", "head/bias", [6, 3]]);
    assert.deepEqual(graph.weights["head/kernel"], { shape: [6, 3], trainable: true, layer: "head" });
    assert.deepEqual(
      graph.nodes.map(({ op, inputs, outputs }) => `${op}(${inputs.join(", ")}) → ${outputs[0]}`),
      ["add(left, right) → sum/1", "add(sum/1, gate) → sum", "multiply(sum, left) → product", "dense(product) → head"],
    );
  });

  it("gives an activation inside a layer a node of its own, and the layer's name to what leaves it", () => {
    const graph = imported("sequential");
    const [conv, relu] = graph.nodes;
    assert.deepEqual([conv.name, conv.op, conv.outputs], ["conv", "conv2d", ["conv/linear"]]);
    assert.deepEqual([relu.name, relu.op, relu.outputs], ["conv/relu", "relu", ["conv"]]);
    assert.equal(relu.layer, conv.layer);
    const fused = node(prepared(graph), "conv", "conv2d");
    assert.deepEqual([fused.activation, fused.outputs, fused.fused], ["relu", ["conv"], []]);
  });

  it("makes one node per use of a shared layer, over the same weights", () => {
    const graph = imported("nested model used twice");
    const first = node(graph, "block/conv", "conv2d");
    const second = node(graph, "block/conv.2", "conv2d");
    assert.equal(first.weights, "block/conv/kernel");
    assert.equal(second.weights, first.weights);
    assert.equal(second.layer, first.layer);
    assert.deepEqual([first.layer.id, first.layer.name], ["block/conv", "conv"]);
    assert.equal(Object.keys(graph.weights).filter((name) => name.startsWith("block/")).length, 7);
    assert.deepEqual(counts(prepared(graph)), { conv2d: 4, flatten: 1, dense: 1 });
  });

  it("tells layers of the same name in different models apart", () => {
    const graph = imported("sequential in functional, with a layer of the same name");
    assert.deepEqual(Object.keys(graph.weights), ["inner/conv/kernel", "inner/conv/bias", "conv/kernel", "conv/bias"]);
  });

  it("does not fold a shared convolution with a batch norm behind one use only", () => {
    const graph = prepared(imported("shared convolution, batch norm behind one use"));
    assert.deepEqual(counts(graph), { conv2d: 2, batchNorm: 1, relu6: 1, add: 1 });
  });

  it("knows what is frozen: layers, nested models, moving statistics", () => {
    const graph = imported("frozen layers");
    const trainable = Object.entries(graph.weights).flatMap(([name, info]) => (info.trainable ? [name] : []));
    assert.deepEqual(trainable, ["free/kernel", "free/bias"]);
    assert.equal(node(graph, "frozen/bn", "batchNorm").trainable, false);
    assert.equal(node(graph, "frozen/conv", "conv2d").trainable, false);
    assert.equal(node(graph, "free", "conv2d").trainable, true);
    assert.equal(node(prepared(graph), "still", "conv2d").batchNorm?.trainable, false);
  });

  it("brings batch norm and activation of one-dimensional convolutions next to them, and drops reshapes between", () => {
    assert.deepEqual(
      prepared(imported("one-dimensional convolutions")).nodes.map(({ op, outputs }) => `${op} → ${outputs[0]}`),
      [
        "reshape → conv1/expand",
        "conv2d → bn1",
        "maxPool2d → pool/planes",
        "conv2d → conv2/planes",
        "averagePool2d → average/planes",
        "mean → gap",
      ],
    );
  });

  it("imports the geometry: strides, dilations, paddings, multipliers", () => {
    const graph = imported("strides, dilations and paddings");
    assert.deepEqual(node(graph, "pad", "zeroPad2d").padding.flat(), [0, 1, 2, 1]);
    const strided = node(graph, "strided", "conv2d");
    assert.deepEqual([strided.strides, strided.padding, strided.weightsShape], [[2, 1], "valid", [3, 2, 3, 4]]);
    assert.deepEqual(node(graph, "dilated", "conv2d").dilations, [2, 2]);
    assert.deepEqual(node(graph, "dw", "depthwiseConv2d").weightsShape, [3, 3, 4, 2]);
    // tfjs ignores the dilation rate of DepthwiseConv2D.
    assert.deepEqual(node(graph, "dw_dilated", "depthwiseConv2d").dilations, [1, 1]);
    assert.deepEqual(node(graph, "sep/depthwise", "depthwiseConv2d").weightsShape, [2, 2, 8, 2]);
    assert.deepEqual(node(graph, "sep", "conv2d").weightsShape, [1, 1, 16, 5]);
  });

  it("says why a layer is opaque", () => {
    const reasons = (name: string) =>
      imported(name).nodes.flatMap((n) => (n.op === "opaque" ? [`${n.name} (${n.className}): ${n.reason}`] : []));
    assert.deepEqual(reasons("every activation"), [
      "swish/swish (Activation): activation swish",
      "elu (Activation): activation elu",
      "relu2 (ReLU): maxValue 2",
      "elu_layer (ELU): class ELU",
    ]);
    assert.deepEqual(reasons("channels first"), [
      "pool (MaxPooling2D): data format channelsFirst",
      "flat (Flatten): data format channelsFirst",
    ]);
    assert.deepEqual(reasons("batch norm over another axis"), ["bn (BatchNormalization): axis 1"]);
    assert.deepEqual(reasons("merge of different ranks"), ["add (Add): inputs of ranks 3 and 2"]);
    assert.deepEqual(reasons("recurrent and wrapped layers"), [
      "bi (Bidirectional): class Bidirectional",
      "each (TimeDistributed): class TimeDistributed",
      "gru (GRU): class GRU",
    ]);
    assert.deepEqual(reasons("custom layers"), ["split (SplitHalves): class SplitHalves"]);
  });

  it("gives opaque layers all their weights and outputs", () => {
    const { weights } = node(imported("recurrent and wrapped layers"), "bi", "opaque");
    const side = (name: string) => ["kernel", "recurrent_kernel", "bias"].map((own) => `bi/${name}_m/${own}`);
    assert.deepEqual(weights, [...side("forward"), ...side("backward")]);
    assert.deepEqual(node(imported("custom layers"), "split", "opaque").outputs, ["split", "split/out1"]);
  });

  it("shares the parameters of nested concats", () => {
    const { quantizers } = prepared(imported("inception"));
    const short = Object.entries(quantizers).map(([value, q]) => [value, "like" in q ? q.like : q.bits]);
    assert.deepEqual(Object.fromEntries(short), {
      image: 8,
      a_relu: "outer",
      b: "outer",
      b_pool: "outer",
      inner: "outer",
      c_pool: "image",
      c: "outer",
      outer: 8,
      last: 8,
    });
  });
});

describe("importLayersModel, errors", () => {
  it("anything but a layers model", () => {
    assert.throws(() => importLayersModel({} as tf.LayersModel), {
      name: "TypeError",
      message: "importLayersModel: expected a tf.LayersModel of the same @tensorflow/tfjs, got [object Object]",
    });
  });

  const NEXT = "give the class a static className of its own and call tf.serialization.registerClass";

  /** A model of one layer. */
  function modelOf(layer: tf.layers.Layer): tf.LayersModel {
    const x = tf.input({ shape: [2] });
    return tf.model({ inputs: x, outputs: layer.apply(x) as tf.SymbolicTensor });
  }

  it("a class that kept its parent's name, which would become its parent", () => {
    const Dense = tf.layers.dense({ units: 1, name: "probe" }).constructor as new (args: object) => tf.layers.Layer;
    class Negated extends Dense {}
    const model = modelOf(new Negated({ name: "negated", units: 1 }));
    assert.throws(() => importLayersModel(model), {
      code: "unsupported",
      message: `importLayersModel: layer "negated": expected a class registered as "Dense", got another class; ${NEXT}`,
    });
    model.dispose();
  });

  it("a class that nobody registered", () => {
    class Unknown extends tf.layers.Layer {
      static className = "NeverRegistered";
    }
    const model = modelOf(new Unknown({ name: "unknown" }));
    assert.throws(() => importLayersModel(model), {
      code: "unsupported",
      message: `importLayersModel: layer "unknown": expected a class registered as "NeverRegistered", got none; ${NEXT}`,
    });
    model.dispose();
  });
});

describe("MobileNetV2 of nsfwjs", () => {
  it("imports, folds its 52 batch norms, places its quantizers, and prints, in under 200 ms", async () => {
    const artifacts = nsfwModel("mobilenet_v2") as unknown as tf.io.ModelArtifacts;
    const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const tensors = tf.memory().numTensors;
    const { graph } = importLayersModel(model);
    const linear = { conv2d: 35, depthwiseConv2d: 17, dense: 3 };
    const rest = { zeroPad2d: 5, add: 10, averagePool2d: 1, flatten: 1, dropout: 2, softmax: 1 };
    assert.deepEqual(counts(graph), { ...linear, ...rest, batchNorm: 52, relu6: 35, relu: 2 });
    const placed = prepared(graph);
    validateGraph(placed);
    assert.deepEqual(counts(placed), { ...linear, ...rest });
    assert.equal(placed.nodes.filter((n) => "batchNorm" in n).length, 52);
    assert.equal(placed.nodes.filter((n) => "weightGrid" in n).length, 55);
    // Its own: the input, 52 convolutions, 10 adds, 3 dense, softmax; like another: 5 pads, pool, flatten, 2 dropouts.
    const quantizers = Object.values(placed.quantizers);
    assert.equal(quantizers.filter((quantizer) => !("like" in quantizer)).length, 67);
    assert.equal(quantizers.filter((quantizer) => "like" in quantizer).length, 9);

    // The best of a few runs: what it takes, not what else the machine is doing.
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const text = printGraph(prepared(importLayersModel(model).graph));
      assert.equal(text.split("\n").length, placed.nodes.length + 3);
      return performance.now() - start;
    });
    assert.ok(Math.min(...times) < 200, `${times.map(Math.round)} ms`);
    assert.equal(tf.memory().numTensors, tensors);
    model.dispose();
  });
});
