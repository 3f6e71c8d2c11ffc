import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import { sizeOf } from "../../src/core/shape.js";
import { planOp } from "../../src/runtime/plan-op.js";
import { type ReferenceStep, referenceStep, type TensorData } from "../../src/runtime/reference-step.js";
import { QUANTIZED_OPS, randomQuantizedGraph } from "../graph/random-quantized-graph.js";
import { codesOf } from "./random-layers.js";
import { checkNode } from "./run-node.js";

const WEIGHTED = ["conv2d", "depthwiseConv2d", "fullyConnected"];
const ARRAYS = { int8: Int8Array, float32: Float32Array, int32: Int32Array };

test("kernels make of every node of random networks what its definition makes of it", () => {
  const seen = new Map<string, number>();
  const ops = QUANTIZED_OPS.filter((op) => !WEIGHTED.includes(op));
  fc.assert(
    fc.property(
      randomQuantizedGraph({ ops }),
      fc.constantFrom<RoundingRule[]>("integer", "tflite", "float32"),
      fc.nat(255),
      (graph, rounding, borders) => {
        const data = new Map<string, TensorData>();
        for (const [i, name] of graph.inputs.entries()) {
          const { dtype, shape } = graph.tensors[name];
          data.set(name, ARRAYS[dtype].from(codesOf(sizeOf(shape), borders + i)));
        }
        for (const [name, tensor] of Object.entries(graph.tensors)) {
          if (tensor.dtype === "int8" && tensor.data !== undefined) data.set(name, tensor.data);
        }
        for (const node of graph.nodes) {
          const output = graph.tensors[node.output];
          const out = new ARRAYS[output.dtype](sizeOf(output.shape));
          const inputs = node.inputs.map((name) => data.get(name) as TensorData);
          let compute: ReferenceStep;
          try {
            compute = referenceStep(graph, node, rounding);
          } catch (error) {
            // Scales that do not fit each other: the kernels' plan says so in the same words.
            assert.throws(() => planOp(graph, node, rounding), error as RangeError);
            return;
          }
          compute(inputs, out);
          data.set(node.output, out);
          const alone = { ...graph, nodes: [node] };
          const kernels = checkNode({ graph: alone, data: Object.fromEntries(data), rounding, borders });
          const key = kernels.length > 0 ? node.op : `${node.op} by its definition`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
      },
    ),
    { numRuns: 250 },
  );
  const without = ops.filter((op) => op !== "reshape" && !seen.has(op));
  assert.deepEqual(without, [], "ops that no kernel ran");
});
