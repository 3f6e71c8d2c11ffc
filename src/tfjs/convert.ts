import type * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import type { QuantParams } from "../core/quant-params.js";
import { type LowerOptions, lower } from "../graph/lower/lower.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { edgesOf } from "./edges-of.js";
import { importLayersModel } from "./import-layers-model.js";
import { ClipLayer } from "./simulated/clip-layer.js";
import { type EdgeLayer, optionsOf } from "./simulated/edge-layer.js";

const WHERE = "convert";

/** What comes in and goes out of the integer model; for DoReFa's models, what becomes of layers in float, and who hears of differences. */
export type ConvertOptions = LowerOptions;

/**
 * The integer model that a simulated model computes in evaluation: what was trained is what ships.
 *
 * It follows from the model alone, in any process that loads it; the model is untouched. Weights of up to 4 bits are stored as int4.
 *
 * DoReFa's models: layers that training left in float, the first and the last as a rule, get 8 bits on the ranges that it observed.
 *
 * @param model made by QATQuantizer.compress or DoReFaQuantizer.compress, trained or calibrated
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
  const known = ["io", "firstLast", "onDifference"];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${WHERE}: expected options among ${known.join(", ")}, got "${unknown}"`);
  }
  const { io, firstLast, onDifference } = options;
  if (io !== undefined && io !== "float32" && io !== "int8") {
    throw new TypeError(`${WHERE}: expected io float32 or int8, got ${JSON.stringify(io)}`);
  }
  if (firstLast !== undefined && firstLast !== "int8" && firstLast !== "float") {
    throw new TypeError(`${WHERE}: expected firstLast int8 or float, got ${JSON.stringify(firstLast)}`);
  }
  if (onDifference !== undefined && typeof onDifference !== "function") {
    throw new TypeError(`${WHERE}: expected onDifference to be a function, got ${typeof onDifference}`);
  }
}

/**
 * Parameters of every value with a range of its own, in float64 from the ranges that were seen, whatever the backend.
 *
 * Errors: QuantError `not-calibrated`, naming all values without a range.
 */
async function edgeParams(edges: ReadonlyMap<string, EdgeLayer | ClipLayer>): Promise<Map<string, QuantParams>> {
  const params = new Map<string, QuantParams>();
  const unseen: string[] = [];
  for (const [value, edge] of edges) {
    if (edge instanceof ClipLayer || "fixed" in edge.config.quantizer) continue;
    const range = await edge.range();
    if (range === undefined) unseen.push(`"${value}"`);
    else params.set(value, chooseQuantParams(range, optionsOf(edge.config.quantizer), `${WHERE}: "${value}"`));
  }
  if (unseen.length === 0) return params;
  throw new QuantError(
    "not-calibrated",
    `${WHERE}: expected every activation to have seen data, got none for ${unseen.join(", ")}; train the model with fit(), or run calibrate() with at least one sample`,
    { values: unseen },
  );
}
