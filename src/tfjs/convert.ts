import type * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { gridOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { type LowerOptions, lower } from "../graph/lower/lower.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { edgesOf } from "./edges-of.js";
import { importLayersModel } from "./import-layers-model.js";
import { type EdgeLayer, optionsOf } from "./simulated/edge-layer.js";

const WHERE = "convert";

/** What comes in and goes out of the integer model. */
export type ConvertOptions = LowerOptions;

/**
 * The integer model that a simulated model computes in evaluation: what was trained is what ships.
 *
 * It follows from the model alone, in any process that loads it; the model is untouched. Weights of up to 4 bits are stored as int4.
 *
 * @param model made by QATQuantizer.compress, trained or calibrated
 *
 * Errors: TypeError for anything but a tf.LayersModel, or an unknown option; QuantError `invalid-model` for a model without quantized layers,
 * `not-calibrated` naming every value that has seen no data, and as lower: `unsupported`, naming all that integers cannot compute, or
 * a layer whose sums or scales do not fit; `non-finite`. Source: docs/convert.md.
 */
export async function convert(model: tf.LayersModel, options: ConvertOptions = {}): Promise<QuantizedGraph> {
  checkOptions(options);
  const { graph, weights: tensors } = importLayersModel(model);
  const params = await edgeParams(edgesOf(WHERE, model, graph));
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) {
    if (tensor.dtype === "float32") weights.set(name, (await tensor.data()) as Float32Array);
  }
  return lower(graph, { weights, params }, options, WHERE);
}

function checkOptions(options: ConvertOptions): void {
  const unknown = Object.keys(options).find((key) => key !== "io");
  if (unknown !== undefined) throw new TypeError(`${WHERE}: expected options among io, got "${unknown}"`);
  const { io } = options;
  if (io !== undefined && io !== "float32" && io !== "int8") {
    throw new TypeError(`${WHERE}: expected io float32 or int8, got ${JSON.stringify(io)}`);
  }
}

/**
 * Parameters of every value with a quantizer, in float64 from the ranges that were seen, whatever the backend.
 *
 * Errors: QuantError `not-calibrated`, naming all values without a range.
 */
async function edgeParams(edges: ReadonlyMap<string, EdgeLayer>): Promise<Map<string, QuantParams>> {
  const params = new Map<string, QuantParams>();
  const unseen: string[] = [];
  for (const [value, edge] of edges) {
    const { quantizer } = edge.config;
    const options = optionsOf(quantizer);
    if ("fixed" in quantizer) {
      params.set(value, { ...quantizer.fixed, ...gridOf(WHERE, options) });
      continue;
    }
    const range = await edge.range();
    if (range === undefined) unseen.push(`"${value}"`);
    else params.set(value, chooseQuantParams(range, options, `${WHERE}: "${value}"`));
  }
  if (unseen.length === 0) return params;
  throw new QuantError(
    "not-calibrated",
    `${WHERE}: expected every activation to have seen data, got none for ${unseen.join(", ")}; train the model with fit(), or run calibrate() with at least one sample`,
    { values: unseen },
  );
}
