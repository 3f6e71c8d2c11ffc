import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readTflite } from "../../../src/formats/tflite/read-tflite.js";
import { writeTflite } from "../../../src/formats/tflite/write-tflite.js";
import { QUANTIZED_OPS, randomQuantizedGraph } from "../../graph/random-quantized-graph.js";

test("a graph of every op comes back from its file as it was", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => {
      for (const { op } of graph.nodes) seen.add(op);
      assert.deepEqual(readTflite(writeTflite(graph)), graph);
    }),
    { numRuns: 400 },
  );
  assert.deepEqual([...seen].sort(), [...QUANTIZED_OPS, "dequantize"].sort());
});
