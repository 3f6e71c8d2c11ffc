import { gridOf } from "../../core/grid.js";
import type { QuantParams } from "../../core/quant-params.js";
import { SIGN_GRID, unitGrid } from "../../core/unit-grid.js";
import { handsCodesThrough, keepsParameters } from "../keeps-parameters.js";
import { readersOf, soleReader } from "../readers.js";
import type { Graph } from "../types.js";

/**
 * The parameters of every value that has some.
 *
 *  - its own, or those of the value it is `like`; fixed ones, DoReFa's clips and signs say theirs
 *  - those of its input, for what a node gives that keeps them
 *  - those of what is made of it, where only a node reads it that hands codes through (a concat, max pool, pad, reshape …):
 *    rounding before such a node is rounding after it
 *
 * A value that is left out cannot be had in integers.
 */
export function valueGrids(graph: Graph, params: ReadonlyMap<string, QuantParams>): Map<string, QuantParams> {
  const grids = new Map<string, QuantParams>();
  const set = (value: string, found: QuantParams | undefined): void => {
    if (found !== undefined) grids.set(value, found);
  };
  const own = (value: string): QuantParams | undefined => {
    const quantizer = graph.quantizers[value];
    if (quantizer === undefined) return undefined;
    if ("like" in quantizer) return own(quantizer.like);
    if ("sign" in quantizer) return SIGN_GRID;
    if ("bound" in quantizer) return unitGrid(quantizer.bits, quantizer.bound);
    return "fixed" in quantizer ? { ...quantizer.fixed, ...gridOf("lower", quantizer) } : params.get(value);
  };
  for (const input of graph.inputs) set(input, own(input));
  for (const node of graph.nodes) {
    const kept = keepsParameters(node) ? grids.get(node.inputs[0]) : undefined;
    for (const output of node.outputs) set(output, own(output) ?? kept);
  }
  const readers = readersOf(graph);
  for (const node of [...graph.nodes].reverse()) {
    if (node.op !== "concat" && !handsCodesThrough(node)) continue;
    // What pads with zeros and is then made signs of has +1 around it, the sign of 0; padded signs have 0.
    if (node.op === "zeroPad2d" && grids.get(node.outputs[0]) === SIGN_GRID) continue;
    for (const input of node.inputs) {
      if (!grids.has(input) && soleReader(graph, readers, input) === node) set(input, grids.get(node.outputs[0]));
    }
  }
  return grids;
}
