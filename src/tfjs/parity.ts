import type { RoundingRule } from "../core/rounding-rule.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../graph/quantized-graph.js";
import type { TensorData } from "../runtime/reference-step.js";
import { runReference } from "../runtime/run-reference.js";

/** How codes of one tensor differ from those of the simulation. */
export interface CodeCounts {
  differing: number;
  /** Largest |difference|. */
  largest: number;
}

/** What was counted for one tensor. */
export interface TensorCounts {
  codes: number;
  /** Every integer node was given the simulation's codes. */
  readonly alone: CodeCounts;
  /** Integer nodes were given what integer nodes gave. */
  readonly endToEnd: CodeCounts;
}

export function noCounts(): TensorCounts {
  return { codes: 0, alone: { differing: 0, largest: 0 }, endToEnd: { differing: 0, largest: 0 } };
}

/** One batch, as the simulation saw it. */
export interface SimulatedBatch {
  /** How many of the integer graph's batches it holds. */
  readonly repeats: number;
  /** What came in, in the order of the graph's inputs; floats, also where the graph takes codes. */
  readonly inputs: readonly Float32Array[];
  /** The simulation's codes, by name of the int8 tensor. */
  readonly codes: ReadonlyMap<string, Int8Array>;
}

/**
 * Runs an integer graph node by node on a batch, each node twice: on the simulation's codes where it has some, and on what the integer nodes
 * before it gave. Adds to `counts` how far its codes are from the simulation's.
 *
 * @returns what the tensor `output` holds end to end
 */
export function compareBatch(
  graph: QuantizedGraph,
  { repeats, inputs, codes }: SimulatedBatch,
  rounding: RoundingRule,
  counts: ReadonlyMap<string, TensorCounts>,
  output: string,
): TensorData {
  const alone = new Map<string, TensorData>();
  const endToEnd = new Map<string, TensorData>();
  graph.inputs.forEach((name, i) => {
    const data = graph.tensors[name].dtype === "int8" ? (codes.get(name) as Int8Array) : inputs[i];
    alone.set(name, data);
    endToEnd.set(name, data);
  });
  for (const node of graph.nodes) {
    const part = singleNode(graph, node, repeats);
    const run = (values: ReadonlyMap<string, TensorData>): TensorData => {
      const given = part.inputs.map((name) => [name, values.get(name) as TensorData] as const);
      return runReference(part, Object.fromEntries(given), { rounding })[node.output];
    };
    const byItself = run(alone);
    const same = part.inputs.every((name) => alone.get(name) === endToEnd.get(name));
    const afterAll = same ? byItself : run(endToEnd);
    const expected = codes.get(node.output);
    const count = counts.get(node.output);
    endToEnd.set(node.output, afterAll);
    alone.set(node.output, expected ?? byItself);
    if (expected === undefined || count === undefined) continue;
    count.codes += expected.length;
    const differing = addDifferences(count.alone, byItself, expected);
    if (same) addDifferences(count.endToEnd, byItself, expected);
    else addDifferences(count.endToEnd, afterAll, expected);
    // The very array, so that nodes behind are seen to get the same.
    if (same && differing === 0) endToEnd.set(node.output, expected);
  }
  return endToEnd.get(output) as TensorData;
}

/** A graph of one node, of tensors that many times as long. */
function singleNode({ name, tensors }: QuantizedGraph, node: QuantizedNode, repeats: number): QuantizedGraph {
  const inputs = [...new Set(node.inputs)].filter((input) => !("data" in tensors[input]));
  const used = [...new Set([...node.inputs, node.output])];
  const batched = used.map((tensor) => [tensor, repeated(tensors[tensor], repeats)] as const);
  return { name, inputs, outputs: [node.output], tensors: Object.fromEntries(batched), nodes: [node] };
}

function repeated(tensor: QuantizedTensor, repeats: number): QuantizedTensor {
  if ("data" in tensor && tensor.data !== undefined) return tensor;
  const [batch, ...rest] = tensor.shape;
  return { ...tensor, shape: [batch * repeats, ...rest] };
}

function addDifferences(counts: CodeCounts, actual: TensorData, expected: Int8Array): number {
  let differing = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (difference === 0) continue;
    differing++;
    counts.largest = Math.max(counts.largest, difference);
  }
  counts.differing += differing;
  return differing;
}
