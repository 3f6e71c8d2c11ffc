import type { GraphNode } from "./types.js";

const KEEPING: ReadonlySet<string> = new Set([
  "maxPool2d",
  "averagePool2d",
  "globalMaxPool2d",
  "zeroPad2d",
  "upsample2d",
  "flatten",
  "reshape",
  "permute",
  "dropout",
  "identity",
]);

/**
 * Whether a node's output has its input's quantization parameters: every output is an input, zero, or an average of a few
 * inputs (averagePool2d and bilinear upsampling round it on those parameters).
 */
export function keepsParameters({ op }: GraphNode): boolean {
  return KEEPING.has(op);
}

/** Whether a node only moves its input's codes, or fills in zeros: what it keeps, and does not average. */
export function handsCodesThrough(node: GraphNode): boolean {
  const averages = node.op === "averagePool2d" || (node.op === "upsample2d" && node.interpolation === "bilinear");
  return keepsParameters(node) && !averages;
}
