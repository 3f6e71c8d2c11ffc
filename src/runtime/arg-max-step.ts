import { channelView } from "../core/shape.js";
import type { IntegerArgMaxNode } from "../graph/quantized-graph.js";
import type { OpPlan } from "./op-plan.js";

/** Index of the largest code along an axis. */
export function planArgMax(node: IntegerArgMaxNode): OpPlan {
  return {
    dense: true,
    steps([x], y) {
      const { outer, channels, inner } = channelView(x.shape, node.axis);
      return [
        {
          node: node.name,
          kernel: "argMax",
          x: { tensor: x.name, offset: x.layout.origin },
          y: { tensor: y.name, offset: y.layout.origin },
          numbers: {
            images: outer,
            xImageBytes: channels * inner,
            yImageBytes: 4 * inner,
            columns: inner,
            xPixelBytes: 1,
            run: channels,
            xStep: inner,
          },
          scratchBytes: 0,
          macs: 0,
        },
      ];
    },
  };
}
