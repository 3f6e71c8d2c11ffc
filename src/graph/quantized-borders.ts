import { QuantError } from "../core/errors.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "./quantized-graph.js";

/** Type of a network's inputs and outputs. */
export type BorderType = "int8" | "float32";

/**
 * The same network with inputs and outputs of one type, under the same names.
 *
 * float32: `quantize` and `dequantize` stand at the ends; the int8 tensor of a border `image` is called `image/int8`.
 * int8: they are taken away, and whoever runs it quantizes with the parameters of the border. Where the quantized input has
 * a qmin of its own, an int8 `quantize` stays and clamps. int32 outputs stay.
 *
 * Errors: QuantError `unsupported` for int8 where a border is float32 for good: an input that several nodes read, or outputs
 * that are one int8 tensor.
 */
export function withBorders(graph: QuantizedGraph, type: BorderType): QuantizedGraph {
  return type === "float32" ? withFloatBorders(graph) : withIntegerBorders(graph);
}

function withFloatBorders(graph: QuantizedGraph): QuantizedGraph {
  const { tensors } = graph;
  const isInt8 = (name: string): boolean => tensors[name].dtype === "int8";
  const renamed = new Map<string, string>();
  for (const name of [...graph.inputs, ...graph.outputs].filter(isInt8)) {
    let inner = `${name}/int8`;
    while (Object.hasOwn(tensors, inner)) inner += "_1";
    renamed.set(name, inner);
  }
  const borders = new Map<string, QuantizedTensor>(
    [...renamed.keys()].map((name) => [name, { dtype: "float32", shape: tensors[name].shape }]),
  );
  const border = (op: "quantize" | "dequantize", input: string, output: string): QuantizedNode => ({
    name: output,
    op,
    inputs: [input],
    output,
  });
  const inner = (name: string): string => renamed.get(name) as string;
  return withNames(graph, renamed, borders, (nodes) => [
    ...graph.inputs.filter(isInt8).map((name) => border("quantize", name, inner(name))),
    ...nodes,
    ...graph.outputs.filter(isInt8).map((name) => border("dequantize", inner(name), name)),
  ]);
}

function withIntegerBorders(graph: QuantizedGraph): QuantizedGraph {
  const { tensors, nodes } = graph;
  const renamed = new Map<string, string>();
  const dropped = new Set<QuantizedNode>();
  const clamped = new Map<string, QuantizedTensor>();
  const refuse = (name: string, expected: string, actual: string): QuantError =>
    new QuantError("unsupported", `int8 border "${name}": expected ${expected}, got ${actual}; keep float32`, { name });
  for (const name of graph.inputs.filter((input) => tensors[input].dtype === "float32")) {
    const readers = nodes.filter(({ inputs }) => inputs.includes(name));
    if (readers.length !== 1) throw refuse(name, "one reader", String(readers.length));
    const inner = tensors[readers[0].output];
    if (inner.dtype === "int8" && inner.qmin !== undefined) {
      const { qmin: _, ...free } = inner;
      clamped.set(name, free);
    } else {
      dropped.add(readers[0]);
      renamed.set(readers[0].output, name);
    }
  }
  for (const name of graph.outputs.filter((output) => tensors[output].dtype === "float32")) {
    const source = nodes.find(({ output }) => output === name) as QuantizedNode;
    const [inner] = source.inputs;
    if (renamed.has(inner) || graph.outputs.includes(inner) || graph.inputs.includes(inner)) {
      throw refuse(name, "an int8 tensor of its own", `"${inner}", which is a border already`);
    }
    const readers = nodes.filter(({ inputs }) => inputs.includes(name));
    if (readers.length > 0) throw refuse(name, "no reader", readers[0].name);
    dropped.add(source);
    renamed.set(inner, name);
  }
  return withNames(graph, renamed, clamped, (kept) => kept.filter((_, i) => !dropped.has(nodes[i])));
}

/** The graph with tensors under other names, and then with the tensors of `added` and the nodes that `change` makes. */
function withNames(
  graph: QuantizedGraph,
  renamed: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, QuantizedTensor>,
  change: (nodes: readonly QuantizedNode[]) => readonly QuantizedNode[],
): QuantizedGraph {
  const rename = (name: string): string => renamed.get(name) ?? name;
  const gone = new Set(renamed.values());
  const tensors = new Map<string, QuantizedTensor>();
  for (const [name, tensor] of Object.entries(graph.tensors)) if (!gone.has(name)) tensors.set(rename(name), tensor);
  for (const [name, tensor] of added) tensors.set(name, tensor);
  const nodes = graph.nodes.map((node) => {
    const output = rename(node.output);
    const name = node.name === node.output ? output : node.name;
    return { ...node, name, inputs: node.inputs.map(rename), output };
  });
  return { ...graph, tensors: Object.fromEntries(tensors), nodes: change(nodes) };
}
