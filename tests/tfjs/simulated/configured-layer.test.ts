import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { importLayersModel } from "../../../src/tfjs/import-layers-model.js";
import { QATQuantizer } from "../../../src/tfjs/qat-quantizer.js";
import { reload } from "../model-checks.js";

before(() => tf.setBackend("cpu"));

describe("ConfiguredLayer", () => {
  it("names keep their underscores and capitals in a file, and layers whether they train", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ name: "resNet_Block_1", units: 3, inputShape: [4] }),
        tf.layers.batchNormalization({ name: "my_BN", trainable: false }),
        tf.layers.reLU({ name: "last_ReLU" }),
      ],
    });
    const simulated = new QATQuantizer().compress(model);
    const loaded = await reload(simulated);
    const { graph } = importLayersModel(loaded);
    assert.deepEqual(graph, importLayersModel(simulated).graph);
    assert.deepEqual(graph.outputs, ["last_ReLU"]);
    const [node] = graph.nodes;
    assert.deepEqual(
      [node.name, node.layer.name, node.fused.map(({ name }) => name)],
      ["resNet_Block_1", "resNet_Block_1", ["my_BN", "last_ReLU"]],
    );
  });
});
