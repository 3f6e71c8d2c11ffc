import assert from "node:assert/strict";
import { test } from "node:test";
import { quantizeTfjs } from "../../../src/arrays/quantize-tfjs.js";
import type { ModelArtifacts } from "../../../src/formats/tfjs-model/artifacts.js";
import { storedQuantization } from "../../../src/formats/tfjs-model/stored-scales.js";
import { splitWeights } from "../../../src/formats/tfjs-model/weight-data.js";

const KERNEL = Float32Array.of(7, 14, -3.5, 1);
const spec = (name: string) => ({ name, shape: [2, 2], dtype: "float32" }) as const;

/** Two Dense layers, one named as the scales of the other would be. */
const LAYERS: ModelArtifacts = {
  modelTopology: {
    class_name: "Sequential",
    config: ["fc", "fc_scale"].map((name) => ({ class_name: "Dense", config: { name, use_bias: false } })),
  },
  weightSpecs: [spec("fc/kernel"), spec("fc_scale/kernel")],
  weightData: Float32Array.of(...KERNEL, ...KERNEL.map((x) => 2 * x)).buffer,
};

/** A product with a constant, whose name for codes is taken. */
const GRAPH: ModelArtifacts = {
  format: "graph-model",
  modelTopology: {
    node: [
      { name: "w", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "w/codes", op: "Placeholder" },
      { name: "y", op: "MatMul", input: ["w/codes", "w"], attr: {} },
    ],
  },
  weightSpecs: [spec("w")],
  weightData: KERNEL.slice().buffer,
};

function found(artifacts: ModelArtifacts) {
  const { bits, scales } = storedQuantization(artifacts, splitWeights(artifacts));
  return { bits: Object.fromEntries(bits), scales: Object.fromEntries(scales) };
}

/** A model with another entry in the metadata. */
function withEntry(artifacts: ModelArtifacts, name: string, entry: unknown): ModelArtifacts {
  return { ...artifacts, userDefinedMetadata: { bitpress: { version: 1, weights: { [name]: entry } } } };
}

test("scales behind layers are found by their place, whatever their name", () => {
  const { artifacts } = quantizeTfjs(LAYERS, { bits: 4 });
  const entry = { viewShape: [2, 2], axis: 1 };
  assert.deepEqual(found(artifacts), {
    bits: { "fc/kernel": 4, "fc_scale/kernel": 4 },
    scales: {
      "fc/kernel": { ...entry, scale: Float32Array.of(1, 2) },
      "fc_scale/kernel": { ...entry, scale: Float32Array.of(2, 4) },
    },
  });
});

test("scales in a graph are found by its product, whatever the names", () => {
  const { artifacts } = quantizeTfjs(GRAPH, { bits: 4 });
  assert.deepEqual(found(artifacts), {
    bits: { "w/codes_1": 4 },
    scales: { "w/codes_1": { viewShape: [2, 2], axis: 1, scale: Float32Array.of(1, 2) } },
  });
});

test("per-tensor weights have bits alone: their scale is in the spec", () => {
  const { artifacts } = quantizeTfjs(LAYERS, { bits: 3, granularity: "perTensor" });
  assert.deepEqual(found(artifacts), { bits: { "fc/kernel": 3, "fc_scale/kernel": 3 }, scales: {} });
});

test("a model without metadata, and metadata that the model does not bear out", () => {
  const nothing = { bits: {}, scales: {} };
  assert.deepEqual(found(LAYERS), nothing);
  assert.deepEqual(found({ ...LAYERS, userDefinedMetadata: { bitpress: 3 } }), nothing);
  const { artifacts } = quantizeTfjs(LAYERS);
  for (const entry of [
    null,
    { form: "normalize", axis: 1 },
    { bits: 8, form: "normalize" },
    { bits: 8, form: "normalize", axis: 0.5 },
    { bits: 8, form: "normalize", axis: 7 },
    { bits: 8, form: "scales", axis: 1 },
    { bits: 8, form: "float32", axis: 1 },
    { bits: 8, form: "x", axis: 1 },
  ]) {
    assert.deepEqual(found(withEntry(artifacts, "fc/kernel", entry)), nothing, JSON.stringify(entry));
  }
  assert.deepEqual(found(withEntry(LAYERS, "fc/kernel", { bits: 8, form: "affine" })), nothing);
  assert.deepEqual(found(withEntry(LAYERS, "fc/kernel", { bits: 8, form: "normalize", axis: 1 })), nothing);
  assert.deepEqual(found(withEntry(artifacts, "nothing", { bits: 8, form: "normalize", axis: 1 })), nothing);
  assert.deepEqual(found(withEntry(GRAPH, "y", { bits: 8, form: "scales", axis: 1 })), nothing);
});
