import type { RoundingRule } from "../core/rounding-rule.js";
import { sizeOf } from "../core/shape.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { referenceStep, type TensorData } from "./reference-step.js";
import { type SessionEngine, TENSOR_ARRAYS } from "./session.js";

/** Runs a network by its definitions: what sessions do where there is no WebAssembly SIMD. */
export function referenceEngine(graph: QuantizedGraph, rounding: RoundingRule): SessionEngine {
  const data = new Map<string, TensorData>();
  for (const [name, tensor] of Object.entries(graph.tensors)) {
    const constant = tensor.dtype === "int8" ? tensor.data : undefined;
    data.set(name, constant ?? new TENSOR_ARRAYS[tensor.dtype](sizeOf(tensor.shape)));
  }
  const arrayOf = (name: string): TensorData => data.get(name) as TensorData;
  const steps = graph.nodes.map((node) => {
    const compute = referenceStep(graph, node, rounding);
    const operands = node.inputs.map(arrayOf);
    const output = arrayOf(node.output);
    return { node, run: () => compute(operands, output) };
  });
  return {
    input: (i) => arrayOf(graph.inputs[i]),
    output: (i) => arrayOf(graph.outputs[i]),
    run() {
      for (const { run } of steps) run();
    },
    memory: () => ({ packedBytes: 0, tensorBytes: 0, scratchBytes: 0, totalBytes: 0 }),
    profile: (rounds) =>
      steps.map(({ node, run }) => {
        const start = performance.now();
        for (let round = 0; round < rounds; round++) run();
        const milliseconds = (performance.now() - start) / rounds;
        return { name: node.name, op: node.op, kernels: ["reference"], milliseconds, macs: 0 };
      }),
    dispose: () => data.clear(),
  };
}
