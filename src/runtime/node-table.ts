import type { RoundingRule } from "../core/rounding-rule.js";
import { nodeLabel } from "../graph/node-label.js";
import type {
  Int8Tensor,
  IntegerBorderNode,
  IntegerElementwiseNode,
  IntegerLeakyReluNode,
} from "../graph/quantized-graph.js";
import type { CodeTable } from "../reference/code-table.js";
import { logisticTable, tanhTable } from "../reference/function-table.js";
import { hardSwishTable } from "../reference/hard-swish-table.js";
import { leakyReluTable } from "../reference/leaky-relu-table.js";
import { reluTable } from "../reference/relu-table.js";
import { requantizeTable } from "../reference/requantize-table.js";

/** The table of a node that makes one code of one code; `quantize` between int8 tensors. Errors: those of the tables. */
export function nodeTable(
  node: IntegerElementwiseNode | IntegerLeakyReluNode | IntegerBorderNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): CodeTable {
  const where = nodeLabel(node);
  const codes = { input, output };
  switch (node.op) {
    case "relu":
    case "relu6":
      return reluTable(where, node.op, codes, rounding);
    case "leakyRelu":
      return leakyReluTable(where, node.alpha, codes, rounding);
    case "logistic":
      return logisticTable(codes, rounding);
    case "tanh":
      return tanhTable(codes, rounding);
    case "hardSwish":
      return hardSwishTable(where, codes, rounding);
    default:
      return requantizeTable(where, codes, rounding);
  }
}
