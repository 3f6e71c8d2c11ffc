import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sizeOf } from "../../src/core/shape.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode } from "../../src/graph/quantized-graph.js";
import { referenceStep } from "../../src/runtime/reference-step.js";
import { randomQuantizedGraph } from "../graph/random-quantized-graph.js";
import { DifferenceTable } from "./difference-table.js";
import { type Codes, JUDGES, type Judge, judgedRun } from "./judges.js";
import { randomCodes } from "./random-codes.js";

// Each op of random networks on a judge's own inputs, so that no difference hides another: with the judge's rounding rule no
// code differs.

const NETWORKS = 300;
const INPUTS = 2;
const SEED = 20261125;

describe("ops of random networks", () => {
  const networks = fc.sample(randomQuantizedGraph({ io: "int8", lowBit: false }), { numRuns: NETWORKS, seed: SEED });
  for (const judge of JUDGES) {
    it(`"${judge.rounding}" is ${judge.name}'s arithmetic`, async (t) => {
      const table = new DifferenceTable();
      const refused: string[] = [];
      for (const [i, graph] of networks.entries()) {
        try {
          await compareNodes(graph, judge, i, table);
        } catch (error) {
          if (!(error as Error).message.startsWith("tfjs-tflite: ")) throw error;
          refused.push((error as Error).message);
        }
      }
      t.diagnostic(`${NETWORKS - refused.length} networks ran in ${judge.name}\n${table}`);
      // XNNPACK in tfjs-tflite cannot create its runtime for some networks, and leaves them to the builtin kernels.
      assert.ok(refused.length < NETWORKS / 5, `${judge.name} refused ${refused.length}: ${refused[0]}`);
      assert.deepEqual(table.differing(), {});
    });
  }
});

async function compareNodes(graph: QuantizedGraph, judge: Judge, seed: number, table: DifferenceTable): Promise<void> {
  const run = await judgedRun(graph, judge);
  for (let i = 0; i < INPUTS; i++) {
    const inputs = Object.fromEntries(
      graph.inputs.map((name, k) => [name, randomCodes(sizeOf(graph.tensors[name].shape), 10 * seed + 2 * k + i)]),
    );
    const judged = await run(inputs);
    for (const node of graph.nodes) {
      if (judge.name === "xnnpack" && isMisread(node)) continue;
      table.add(node.op, ownOutput(graph, node, judge, { ...inputs, ...judged }), judged[node.output]);
    }
  }
}

/**
 * Whether tfjs-tflite's XNNPACK computes something else than every other runtime, and than its own later versions: of a strided
 * convolution whose kernel is one column wide, most codes are others, by up to 101.
 */
function isMisread(node: QuantizedNode): boolean {
  return node.op === "conv2d" && node.weightsShape[2] === 1 && node.weightsShape[1] > 1 && node.strides[1] > 1;
}

/** What the node's definition makes of the judge's tensors. */
function ownOutput(graph: QuantizedGraph, node: QuantizedNode, { rounding }: Judge, tensors: Codes): ArrayLike<number> {
  const out = tensors[node.output].slice();
  const read = (name: string) => tensors[name] ?? (graph.tensors[name] as Int8Tensor).data;
  referenceStep(graph, node, rounding)(node.inputs.map(read), out);
  return out;
}
