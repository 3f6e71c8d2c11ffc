import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { foldBatchNorm } from "../../src/graph/passes/fold-batch-norm.js";
import { fuseActivation } from "../../src/graph/passes/fuse-activation.js";
import { placeQuantizers } from "../../src/graph/passes/place-quantizers.js";
import { removeIdentity } from "../../src/graph/passes/remove-identity.js";
import { sinkReshape } from "../../src/graph/passes/sink-reshape.js";
import { printGraph } from "../../src/graph/print-graph.js";
import { IMPORTED_CLASSES } from "../../src/tfjs/import-layer.js";
import { importLayersModel } from "../../src/tfjs/import-layers-model.js";

const page = readFileSync(new URL("../../docs/graph.md", import.meta.url), "utf8");

/** The block of the page that is marked with a word. */
function block(word: string): string | undefined {
  return new RegExp(`^\`\`\`text ${word}\n(.*?)\n\`\`\`$`, "ms").exec(page)?.[1];
}

it("docs/graph.md shows what printGraph prints", () => {
  const { layers } = tf;
  const apply = (layer: tf.layers.Layer, y: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(y) as tf.SymbolicTensor;
  const x = tf.input({ shape: [8, 8, 4], name: "image" });
  const conv = apply(layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, padding: "same", useBias: false }), x);
  const bn = apply(layers.batchNormalization({ name: "bn" }), conv);
  const sum = apply(layers.reLU({ name: "relu" }), apply(layers.add({ name: "add" }), [bn, x]));
  const pooled = apply(layers.globalAveragePooling2d({ name: "gap" }), sum);
  const probs = apply(layers.dense({ name: "probs", units: 3, activation: "softmax" }), pooled);
  const model = tf.model({ inputs: x, outputs: probs, name: "residual" });
  const { graph } = importLayersModel(model);
  model.dispose();
  assert.equal(block("imported"), printGraph(graph));
  const fused = fuseActivation(foldBatchNorm(removeIdentity(sinkReshape(removeIdentity(graph)))));
  const placed = placeQuantizers(fused, {
    weightBits: 4,
    activationBits: 8,
    granularity: "perChannel",
    symmetric: false,
  });
  assert.equal(block("placed"), printGraph(placed));
});

it("docs/graph.md names every class of layer that becomes an op", () => {
  assert.deepEqual(
    IMPORTED_CLASSES.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});
