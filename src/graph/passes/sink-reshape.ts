import { readersOf, soleReader, withNodes } from "../readers.js";
import type { Graph, GraphNode, ReshapeNode } from "../types.js";

/** Ops that treat all elements alike, or all elements of one position on the last axis. */
const ALONG_LAST_AXIS: ReadonlySet<string> = new Set([
  "identity",
  "relu",
  "relu6",
  "leakyRelu",
  "sigmoid",
  "tanh",
  "softmax",
  "batchNorm",
]);

/**
 * Moves reshapes that keep the last axis behind the elementwise ops and batch norms that alone read them.
 *
 *     conv2d → reshape → batchNorm → relu   becomes   conv2d → batchNorm → relu → reshape
 *
 * A one-dimensional convolution comes in as conv2d between two reshapes; this brings its batch norm and activation next
 * to it, so that they can be folded and fused. Afterwards removeIdentity finds the reshapes that cancel out.
 */
export function sinkReshape(graph: Graph): Graph {
  for (let current = graph; ; ) {
    const found = findMove(current);
    if (found === undefined) return current;
    current = move(current, found);
  }
}

interface Move {
  readonly reshape: ReshapeNode;
  readonly reader: GraphNode;
}

function findMove(graph: Graph): Move | undefined {
  const readers = readersOf(graph);
  for (const reshape of graph.nodes) {
    if (reshape.op !== "reshape") continue;
    const reader = soleReader(graph, readers, reshape.outputs[0]);
    const kept = graph.values[reshape.inputs[0]].shape.at(-1);
    const keeps = kept !== null && kept === graph.values[reshape.outputs[0]].shape.at(-1);
    if (keeps && reader !== undefined && ALONG_LAST_AXIS.has(reader.op)) return { reshape, reader };
  }
  return undefined;
}

function move(graph: Graph, { reshape, reader }: Move): Graph {
  const [between] = reshape.outputs;
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    if (node === reshape) return [];
    if (node !== reader) return [node];
    return [
      { ...reader, inputs: reshape.inputs, outputs: [between] } as GraphNode,
      { ...reshape, inputs: [between], outputs: reader.outputs },
    ];
  });
  return withNodes(graph, nodes, { ...graph.values, [between]: graph.values[reshape.inputs[0]] });
}
