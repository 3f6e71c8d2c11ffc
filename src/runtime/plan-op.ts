import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode } from "../graph/quantized-graph.js";
import { planArgMax } from "./arg-max-step.js";
import { planArithmetic } from "./arithmetic-step.js";
import { planConcat, planPad, planSlice, planTranspose } from "./copy-step.js";
import { planDequantize, planQuantize, planTable } from "./elementwise-step.js";
import { planMean } from "./mean-step.js";
import { nodeTable } from "./node-table.js";
import type { OpPlan } from "./op-plan.js";
import { planPool } from "./pool-step.js";
import { planResize } from "./resize-step.js";
import { planSoftmax } from "./softmax-step.js";

/**
 * The kernels of a node without weights; none where only its definition can run it, and for reshape, which moves nothing.
 *
 * Errors: RangeError naming the node, where its scales do not fit each other under this rule.
 */
export function planOp(graph: QuantizedGraph, node: QuantizedNode, rounding: RoundingRule): OpPlan | undefined {
  const inputs = node.inputs.map((name) => graph.tensors[name]);
  const output = graph.tensors[node.output];
  const [x, y] = [inputs[0] as Int8Tensor, output as Int8Tensor];
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "fullyConnected":
    case "reshape":
      return undefined;
    case "add":
    case "subtract":
    case "multiply":
      return planArithmetic(node, inputs as Int8Tensor[], y, rounding);
    case "concat":
      return planConcat(node);
    case "maxPool2d":
    case "averagePool2d":
      return planPool(node, x, y, rounding);
    case "mean":
      return planMean(node, x, y, rounding);
    case "pad":
      return planPad(node, x.zeroPoint);
    case "transpose":
      return planTranspose(node);
    case "stridedSlice":
      return planSlice(node);
    case "resizeNearest":
    case "resizeBilinear":
      return planResize(node, x, y, rounding);
    case "softmax":
      return planSoftmax(node, x);
    case "argMax":
      return planArgMax(node);
    case "dequantize":
      return planDequantize(node.name, x);
    case "quantize":
      if (inputs[0].dtype === "float32") return planQuantize(node.name, y);
      return planTable(node.name, nodeTable(node, x, y, rounding));
    default:
      return planTable(node.name, nodeTable(node, x, y, rounding));
  }
}
