import type { RoundingRule } from "../core/rounding-rule.js";
import { nodeLabel } from "../graph/node-label.js";
import type { Int8Tensor, QuantizedNode } from "../graph/quantized-graph.js";
import { activationBounds } from "../reference/activation-bounds.js";
import { integerAdd } from "../reference/integer-add.js";
import { integerAveragePool } from "../reference/integer-average-pool.js";
import { integerMean } from "../reference/integer-mean.js";
import { additionRule } from "./addition-rule.js";
import { meanRule } from "./mean-rule.js";
import { windowGeometry } from "./window-geometry.js";

/** Computes a node whose tensors are codes: its inputs in their order, its output, written. */
export type CodesStep = (inputs: readonly Int8Array[], out: Int8Array) => void;

/**
 * Nodes of the ops that planOp has no kernel for in rare cases, by their definitions in src/reference: all that a session on wasm
 * needs of them, so that `bitpress/runtime` carries no others.
 *
 * Errors: RangeError naming the node, where its scales do not fit each other; Error for an op that always has a kernel.
 */
export function kernellessStep(
  node: QuantizedNode,
  inputs: readonly Int8Tensor[],
  output: Int8Tensor,
  rounding: RoundingRule,
): CodesStep {
  const [input, second] = inputs;
  switch (node.op) {
    case "add":
    case "subtract": {
      const shapes = { a: input.shape, b: second.shape, out: output.shape };
      const addition = additionRule(node, input, second, output, rounding);
      return ([x, y], out) => integerAdd(x, y, addition, shapes, out);
    }
    case "averagePool2d": {
      const geometry = windowGeometry(node, input.shape, output.shape);
      const bounds = activationBounds(node.activation, output, rounding);
      return ([x], out) => integerAveragePool(x, bounds, geometry, out);
    }
    case "mean": {
      const rule = meanRule(node, input, output, rounding);
      return ([x], out) => integerMean(x, input.shape, node.axes, rule, out);
    }
    default:
      throw new Error(`${nodeLabel(node)}: expected a kernel in the plan, got none`);
  }
}
