import { QuantError } from "../../core/errors.js";
import type { QuantParams } from "../../core/quant-params.js";
import { SIGN_GRID } from "../../core/unit-grid.js";
import { handsCodesThrough, keepsParameters } from "../keeps-parameters.js";
import { isWeighted, readersOf } from "../readers.js";
import { formatValueShape } from "../shapes.js";
import type { Graph, GraphNode, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";

/** int8 holds no more. */
const MOST_BITS = 8;

/**
 * Checks that integers can compute a graph.
 *
 * Errors: QuantError `unsupported` that names everything in the way at once, also as `details.obstacles`: layers that stay float, values
 * without a quantizer, more than 8 bits, weights off their output channels' grid, signs that are not a layer's, sizes that only the data
 * tells.
 */
export function checkObstacles(where: string, graph: Graph, grids: ReadonlyMap<string, QuantParams>): void {
  const obstacles = [
    ...graph.nodes.flatMap((node) => nodeObstacles(node)),
    ...valueObstacles(graph, grids),
    ...signObstacles(graph, grids),
    ...sizeObstacles(graph),
  ];
  if (obstacles.length === 0) return;
  throw new QuantError(
    "unsupported",
    `${where}: expected a network that int8 can compute, got ${obstacles.join("; ")}; replace these layers or cut the model before them, give edges a quantizer, and everything at most 8 bits and fixed sizes`,
    { obstacles },
  );
}

/** `"conv1" (Conv2D)`: how errors name the layer that a node came from. */
export function layerLabel({ layer }: GraphNode): string {
  return `"${layer.id}" (${layer.className})`;
}

function nodeObstacles(node: GraphNode): string[] {
  if (node.op === "opaque") return [`${layerLabel(node)}, which stays float: ${node.reason}`];
  return isWeighted(node) ? weightObstacles(node) : [];
}

function weightObstacles(node: WeightedNode): string[] {
  const { weightGrid: grid, dorefa } = node;
  const label = layerLabel(node);
  if (dorefa !== undefined) {
    return dorefa.weightBits > MOST_BITS ? [`${label} with weights of ${dorefa.weightBits} bits`] : [];
  }
  if (grid === undefined) return [`${label} with float weights`];
  const found: string[] = [];
  if (grid.bits > MOST_BITS) found.push(`${label} with weights of ${grid.bits} bits`);
  if (!grid.signed || !grid.symmetric) found.push(`${label} with weights that are not signed and symmetric`);
  const { axis } = weightsView(node);
  if (grid.granularity === "perChannel" && grid.axis !== axis) {
    found.push(`${label} with weight scales along axis ${grid.axis}, not its output channels`);
  }
  return found;
}

function valueObstacles(graph: Graph, grids: ReadonlyMap<string, QuantParams>): string[] {
  const { inputs, nodes, values } = graph;
  const readers = readersOf(graph);
  const computes = (node: GraphNode): boolean => node.op !== "opaque" && !keepsParameters(node);
  const hasOpaque = nodes.some(({ op }) => op === "opaque");
  const check = (value: string, giver: GraphNode | undefined): string[] => {
    // Between float layers there is nothing to quantize.
    const around = [...(giver === undefined ? [] : [giver]), ...(readers.get(value) ?? [])];
    if (values[value].dtype !== "float32" || (hasOpaque && !around.some(computes))) return [];
    const text = giver === undefined ? `input "${value}"` : `what ${layerLabel(giver)} gives ("${value}")`;
    const grid = grids.get(value);
    if (grid === undefined) return [`${text} without a quantizer`];
    const codes = grid.qmax - grid.qmin + 1;
    return codes > 2 ** MOST_BITS ? [`${text} with ${Math.ceil(Math.log2(codes))} bits`] : [];
  };
  return [
    ...inputs.flatMap((input) => check(input, undefined)),
    ...nodes.flatMap((node) => node.outputs.flatMap((output) => check(output, node))),
  ];
}

/** Signs of what no layer computes whose bias could put 0 between two sums, or whose codes could be told apart. */
function signObstacles({ inputs, nodes }: Graph, grids: ReadonlyMap<string, QuantParams>): string[] {
  const isSign = (value: string): boolean => grids.get(value) === SIGN_GRID;
  const takesSigns = (node: GraphNode): boolean =>
    isWeighted(node) ||
    node.op === "batchNorm" ||
    node.op === "opaque" ||
    (node.op === "concat" && node.inputs.every(isSign)) ||
    handsCodesThrough(node) ||
    (keepsParameters(node) && !isSign(node.inputs[0]));
  return [
    ...inputs.filter(isSign).map((input) => `signs of input "${input}"`),
    ...nodes
      .filter((node) => node.outputs.some(isSign) && !takesSigns(node))
      .map((node) => `signs of what ${layerLabel(node)} gives, without a batch norm between`),
  ];
}

/** The first of each chain of values with unknown sizes: those of the inputs, or of opaque nodes. */
function sizeObstacles({ inputs, values }: Graph): string[] {
  return inputs.flatMap((input) => {
    const { shape } = values[input];
    return shape.slice(1).includes(null) ? [`input "${input}" of unknown sizes ${formatValueShape(shape)}`] : [];
  });
}
