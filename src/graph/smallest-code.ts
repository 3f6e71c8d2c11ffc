import type { Int8Tensor, QuantizedNode } from "./quantized-graph.js";

/**
 * The smallest code that a node writes by its op and activation alone, before its output's `qmin`; −128 where anything may
 * come.
 *
 * Ops that move codes, or average some, stay within their inputs' bounds; pad adds the zero point; relu and relu6 end there.
 *
 * @param inputs the int8 tensors it reads
 * @param output the int8 tensor it writes
 */
export function smallestCode(node: QuantizedNode, inputs: readonly Int8Tensor[], output: Int8Tensor): number {
  const least = inputs.reduce((least, { qmin = -128 }) => Math.min(least, qmin), 127);
  switch (node.op) {
    case "concat":
    case "reshape":
    case "transpose":
    case "stridedSlice":
    case "resizeNearest":
    case "resizeBilinear":
      return least;
    case "pad":
      return Math.min(least, output.zeroPoint);
    case "maxPool2d":
    case "averagePool2d":
      return node.activation === "linear" ? least : Math.max(least, output.zeroPoint);
    case "relu":
    case "relu6":
      return output.zeroPoint;
    default:
      return "activation" in node && node.activation !== "linear" ? output.zeroPoint : -128;
  }
}
