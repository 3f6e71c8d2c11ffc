import type * as tf from "@tensorflow/tfjs";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import { isWeighted } from "../graph/readers.js";
import type { Graph } from "../graph/types.js";
import { type Report, reportOf, sqnr, type TensorReport, untouchedReport } from "../quantizers/report.js";
import { tanh } from "../reference/tanh.js";
import { dorefaWeights } from "../wasm/dorefa-weights.js";
import { type FloatLayer, floatLayers } from "./qat-report.js";

/**
 * What DoReFaQuantizer.compress did.
 *
 * The SQNR of weights is that of the rounding: of tanh(w)/max|tanh(w)| for 2 bits and more.
 */
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
    return [width === UNTOUCHED_BITS ? untouchedReport(name, view) : roundedRow(name, view, width)];
  });
  return { ...reportOf(rows), float: floatLayers(graph) };
}

function roundedRow(name: string, { data, shape }: Parameters<typeof untouchedReport>[1], bits: number): TensorReport {
  const rounded = dorefaWeights(data, bits);
  const largest = data.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0);
  const limit = largest === 0 ? 1 : tanh(largest);
  const scale = bits === 1 ? Math.abs(rounded[0]) : Math.fround(1 / (2 ** bits - 1));
  const stored = bits === 1 || bits === 2 || bits === 4 ? bits : bits <= 8 ? 8 : 16;
  return {
    name,
    shape,
    bits,
    granularity: "perTensor",
    bytesBefore: data.byteLength,
    bytesAfter: Math.ceil((data.length * stored) / 8) + 4,
    sqnr: sqnr(bits === 1 ? data : data.map((w) => tanh(w) / limit), rounded),
    scales: [scale, scale],
  };
}
