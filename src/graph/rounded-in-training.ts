import { keepsParameters } from "./keeps-parameters.js";
import { isWeighted } from "./readers.js";
import type { Graph, GraphNode, WeightedNode } from "./types.js";

/** DoReFa's weights of more bits are no int8 codes, and are rounded again. */
const MOST_BITS = 7;

/**
 * The values whose integers are those of training: it rounded them, and all that they are computed from, weights included.
 *
 * Of the others training saw something else than integers compute: DoReFa's first and last layers are float in training, and so are
 * values whose range is only observed, such as the branches of a residual sum. Averages are left out where training rounds them to
 * another grid than their input's, since integers round twice there.
 */
export function roundedInTraining({ inputs, nodes, quantizers }: Graph): ReadonlySet<string> {
  const isRounded = (value: string): boolean => {
    const quantizer = quantizers[value];
    return quantizer !== undefined && !("observeOnly" in quantizer);
  };
  // Values that integers hold as training has them.
  const exact = new Set(inputs.filter(isRounded));
  const found = new Set(exact);
  for (const node of nodes) {
    const computes = node.inputs.every((input) => exact.has(input)) && hasRoundedWeights(node) && !roundsTwice(node);
    for (const output of node.outputs) {
      const rounded = isRounded(output);
      if (rounded && computes) found.add(output);
      if (rounded || (computes && quantizers[output] === undefined)) exact.add(output);
    }
  }
  return found;

  function roundsTwice(node: GraphNode): boolean {
    const averages = node.op === "averagePool2d" || (node.op === "upsample2d" && node.interpolation === "bilinear");
    const quantizer = quantizers[node.outputs[0]];
    return (
      averages && keepsParameters(node) && (quantizer === undefined || "bound" in quantizer || "sign" in quantizer)
    );
  }
}

function hasRoundedWeights(node: GraphNode): boolean {
  if (node.op === "opaque") return false;
  return !isWeighted(node) || isRoundedLayer(node);
}

function isRoundedLayer({ weightGrid, dorefa }: WeightedNode): boolean {
  return weightGrid !== undefined || (dorefa !== undefined && dorefa.weightBits <= MOST_BITS);
}
