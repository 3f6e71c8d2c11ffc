import assert from "node:assert/strict";
import { it } from "node:test";
import { nodeLabel } from "../../src/graph/node-label.js";

it("nodeLabel: op and name, a long one cut", () => {
  assert.equal(nodeLabel({ op: "conv2d", name: "block1/conv" }), 'conv2d "block1/conv"');
  assert.equal(nodeLabel({ op: "add", name: "n".repeat(81) }), `add "${"n".repeat(80)}…"`);
});
