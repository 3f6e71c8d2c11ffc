import type { Int8Tensor, QuantizedNode, QuantizedTensor } from "../quantized-graph.js";
import { type CodeGrid, sameCodes } from "./code-grid.js";
import { checkRescale } from "./limits.js";

/** An integer graph being put together. */
export interface Emission {
  readonly tensors: Record<string, QuantizedTensor>;
  readonly nodes: QuantizedNode[];
  /** A name like `wanted` that no tensor and no value of the float graph has. */
  fresh(wanted: string): string;
}

/** A node before it has a name. */
export type UnnamedNode = QuantizedNode extends infer Node
  ? Node extends unknown
    ? Omit<Node, "name">
    : never
  : never;

/** @param taken names that fresh ones must differ from */
export function startEmission(taken: Iterable<string>): Emission {
  const names = new Set(taken);
  return {
    tensors: {},
    nodes: [],
    fresh(wanted) {
      let name = wanted;
      for (let i = 2; names.has(name); i++) name = `${wanted}.${i}`;
      names.add(name);
      return name;
    },
  };
}

/** Declares an int8 tensor; returns its name. */
export function addCodes({ tensors }: Emission, name: string, shape: readonly number[], grid: CodeGrid): string {
  const { scale, zeroPoint, qmin } = grid;
  tensors[name] = { dtype: "int8", shape, scale, zeroPoint, ...(qmin !== undefined && { qmin }) };
  return name;
}

/** The int8 tensor of that name. */
export function codesOf({ tensors }: Emission, name: string): Int8Tensor {
  return tensors[name] as Int8Tensor;
}

/** Adds a node, named as its output: files keep no other names. */
export function addNode({ nodes }: Emission, node: UnnamedNode): void {
  nodes.push({ ...node, name: node.output } as QuantizedNode);
}

/** Copies codes into another shape: a tensor `name` on the grid of `input`. */
export function addReshape(emission: Emission, name: string, input: string, shape: readonly number[]): string {
  addCodes(emission, name, shape, codesOf(emission, input));
  addNode(emission, { op: "reshape", inputs: [input], output: name });
  return name;
}

/** The tensor itself where it is on that grid, else a requantized one, called `name`. */
export function onGrid(emission: Emission, where: string, input: string, grid: CodeGrid, name: string): string {
  const from = codesOf(emission, input);
  if (sameCodes(from, grid)) return input;
  checkRescale(where, from.scale, grid.scale);
  addCodes(emission, name, from.shape, grid);
  addNode(emission, { op: "quantize", inputs: [input], output: name });
  return name;
}
