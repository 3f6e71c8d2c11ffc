import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { foldBatchNorm } from "../../src/graph/passes/fold-batch-norm.js";
import { fuseActivation } from "../../src/graph/passes/fuse-activation.js";
import { placeQuantizers } from "../../src/graph/passes/place-quantizers.js";
import { removeIdentity } from "../../src/graph/passes/remove-identity.js";
import { sinkReshape } from "../../src/graph/passes/sink-reshape.js";
import type { Graph } from "../../src/graph/types.js";
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
