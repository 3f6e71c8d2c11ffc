import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StateDict } from "../../src/core/tensor.js";
import { layerOfEntry, stateDictLayers } from "../../src/quantizers/state-dict-layers.js";

/** A state dict of shapes and types; nothing here looks at the data. */
function stateOf(entries: Readonly<Record<string, readonly [shape: readonly number[], type?: string]>>): StateDict {
  return Object.fromEntries(
    Object.entries(entries).map(([name, [shape, type]]) => [
      name,
      { data: new Float32Array(0), shape, ...(type !== undefined && { type }) },
    ]),
  );
}

it("layerOfEntry is the name before the last dot", () => {
  assert.equal(layerOfEntry("block.0.fc.weight"), "block.0.fc");
  assert.equal(layerOfEntry("weight"), "weight");
  assert.equal(layerOfEntry(".weight"), "");
});

describe("stateDictLayers", () => {
  it("takes the type from the entry, else from the rank of the matrices", () => {
    const state = stateOf({
      "conv.weight": [[8, 3, 3, 3]],
      "conv.bias": [[8]],
      "bn.weight": [[8]],
      "bn.running_mean": [[8]],
      "block.0.fc.weight": [[10, 8]],
      "emb.weight": [[100, 16], "Embedding"],
      "audio.weight": [[8, 4, 3]],
      "lstm.weight_ih_l0": [[32, 16]],
      "lstm.weight_hh_l0": [[32, 8], "LSTM"],
      "mixed.weight": [[4, 4]],
      "mixed.position": [[1, 4, 4, 4]],
      scale: [[]],
    });
    assert.deepEqual(stateDictLayers("compress", state), [
      { name: "conv", type: "Conv2d", typedByRank: { entry: "conv.weight", rank: 4 } },
      { name: "bn", type: "" },
      { name: "block.0.fc", type: "Linear", typedByRank: { entry: "block.0.fc.weight", rank: 2 } },
      { name: "emb", type: "Embedding" },
      { name: "audio", type: "", typedByRank: { entry: "audio.weight", rank: 3 } },
      { name: "lstm", type: "LSTM" },
      { name: "mixed", type: "", typedByRank: { entry: "mixed.position", rank: 4 } },
      { name: "scale", type: "" },
    ]);
    assert.deepEqual(stateDictLayers("compress", {}), []);
  });

  it("refuses two types in one layer", () => {
    const state = stateOf({ "fc.weight": [[4, 4], "Linear"], "fc.extra": [[4, 4], "Embedding"] });
    assert.throws(() => stateDictLayers("compress", state), {
      name: "QuantError",
      code: "invalid-config",
      message:
        'compress: expected one type for the entries of layer "fc", got "Linear" on "fc.weight" and "Embedding" on "fc.extra"',
      details: { layer: "fc", entries: ["fc.weight", "fc.extra"] },
    });
  });
});
