import type * as tf from "@tensorflow/tfjs";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import { isWeighted } from "../graph/readers.js";
import type { Graph } from "../graph/types.js";
import { dorefaTensorReport } from "../quantizers/dorefa-tensor-report.js";
import { type Report, reportOf, type TensorReport, untouchedReport } from "../quantizers/report.js";
import { type FloatLayer, floatLayers } from "./qat-report.js";

/** What DoReFaQuantizer.compress did. */
export interface DoReFaReport extends Report {
  /** Layers that train as float, since no op of the library expresses them. */
  readonly float: readonly FloatLayer[];
}

/** Report of a graph with DoReFa's layers; weights as they are rounded at the start. */
export function dorefaReport(graph: Graph, weights: ReadonlyMap<string, tf.Tensor>): DoReFaReport {
  const bits = new Map(
    graph.nodes.filter(isWeighted).map((node) => [node.weights, node.dorefa?.weightBits ?? UNTOUCHED_BITS]),
  );
  const rows = [...weights].flatMap(([name, tensor]): TensorReport[] => {
    if (tensor.dtype !== "float32") return [];
    const view = { data: tensor.dataSync<"float32">(), shape: tensor.shape };
    const width = bits.get(name) ?? UNTOUCHED_BITS;
    return [width === UNTOUCHED_BITS ? untouchedReport(name, view) : dorefaTensorReport(name, view, width)];
  });
  return { ...reportOf(rows), float: floatLayers(graph) };
}
