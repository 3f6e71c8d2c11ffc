import type { Int8Tensor, IntegerSoftmaxNode } from "../graph/quantized-graph.js";
import { exponentialTable } from "../reference/integer-softmax.js";
import type { OpPlan } from "./op-plan.js";

/** Softmax over the last axis. */
export function planSoftmax(node: IntegerSoftmaxNode, input: Int8Tensor): OpPlan {
  const weights = exponentialTable(node.beta, input.scale);
  return {
    dense: false,
    steps: ([{ name, layout }], y) => [
      {
        node: node.name,
        kernel: "softmax",
        x: { tensor: name, offset: layout.origin },
        y: { tensor: y.name, offset: y.layout.origin },
        numbers: {
          images: layout.images,
          xImageBytes: layout.imageBytes,
          yImageBytes: y.layout.imageBytes,
          rows: layout.height,
          xRowBytes: layout.rowBytes,
          yRowBytes: y.layout.rowBytes,
          columns: layout.width,
          xPixelBytes: layout.pixelBytes,
          yPixelBytes: y.layout.pixelBytes,
          run: layout.channels,
        },
        weights,
        scratchBytes: 0,
        macs: 0,
      },
    ],
  };
}
