import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, QuantizedGraph } from "../graph/quantized-graph.js";
import { roundedInTraining } from "../graph/rounded-in-training.js";
import type { Graph } from "../graph/types.js";
import type { TensorData } from "../runtime/reference-step.js";
import { quantize } from "../wasm/quantize.js";
import { edgesOf } from "./edges-of.js";
import { importLayersModel } from "./import-layers-model.js";
import { compareBatch, noCounts, type TensorCounts } from "./parity.js";
import { batchesOf, type CalibrationSamples } from "./sample-batches.js";
import { whileRecording } from "./simulated/call-mode.js";
import { RoundingLayer } from "./simulated/rounding-layer.js";
import { type VerifyReport, verifyReport } from "./verify-report.js";

const WHERE = "verify";

export interface VerifyOptions {
  /** How the integer model rounds. Default integer. */
  readonly rounding?: RoundingRule;
  /** The right class of each sample: where the first output is largest. */
  readonly labels?: ArrayLike<number>;
  /** Samples per batch, where tensors are cut. Default 32. */
  readonly batchSize?: number;
}

/**
 * Compares a simulated model with its integers, layer by layer, on samples.
 *
 * Each value with a quantizer is compared as codes, twice: alone, where every integer layer gets the simulation's own codes, so that a
 * difference is that layer's; and end to end, where the integer model runs by itself, so that differences travel. Alone, codes differ
 * only where a float32 sum lies on the other side of a tie: fewer than 1 in 10^4, by 1. Of DoReFa's models that holds for what training
 * rounded, but for the channels that convert names; the report marks the rest.
 *
 * @param model the simulated model; it runs in evaluation
 * @param integers made from it by convert, also by way of a file that keeps the tensors' names
 * @param samples as calibrate takes them
 *
 * Errors: TypeError, RangeError for samples or labels of a wrong kind or number; QuantError `invalid-model` where the integers are not
 * this model's, `not-calibrated` for a model that has seen no data. Source: docs/numerics.md, "Parity".
 */
export async function verify(
  model: tf.LayersModel,
  integers: QuantizedGraph,
  samples: CalibrationSamples,
  { rounding = "integer", labels, batchSize }: VerifyOptions = {},
): Promise<VerifyReport> {
  const { graph } = importLayersModel(model);
  const compared = comparedTensors(model, graph, integers);
  const counts = new Map(compared.map(({ tensor }) => [tensor, noCounts()] as const));
  const hits = { simulated: 0, integer: 0 };
  const [first] = integers.outputs;
  let count = 0;
  for await (const batch of batchesOf(WHERE, model, samples, batchSize)) {
    const inputs = [batch].flat();
    const size = inputs[0].shape[0] ?? 1;
    if (labels !== undefined && labels.length < count + size) {
      throw new RangeError(`${WHERE}: expected a label for each sample, got ${labels.length} for more samples`);
    }
    if (size % batchOf(integers) !== 0) {
      throw new RangeError(`${WHERE}: expected batches of a multiple of ${batchOf(integers)} samples, got ${size}`);
    }
    const { codes, output } = simulate(model, inputs, compared, integers);
    const floats = inputs.map((input) => input.dataSync<"float32">());
    const runs = { repeats: size / batchOf(integers), inputs: floats, codes };
    const integerOutput = compareBatch(integers, runs, rounding, counts, first);
    if (labels !== undefined) {
      hits.simulated += hitsOf(output, size, labels, count);
      hits.integer += hitsOf(integerOutput, size, labels, count);
    }
    count += size;
    await tf.nextFrame();
  }
  if (count === 0) throw new RangeError(`${WHERE}: expected at least one sample, got none`);
  const byValue = new Map<string, TensorCounts>();
  for (const name of [...integers.inputs, ...integers.nodes.map(({ output }) => output)]) {
    const found = compared.find(({ tensor }) => tensor === name);
    const counted = counts.get(name);
    if (found !== undefined && counted !== undefined && counted.codes > 0) byValue.set(found.value, counted);
  }
  const accuracy = { simulated: hits.simulated / count, integer: hits.integer / count };
  return verifyReport(rounding, count, byValue, roundedInTraining(graph), labels === undefined ? undefined : accuracy);
}

/** A value that the simulation rounds or observes, and the int8 tensor that holds its codes. */
interface Compared {
  readonly value: string;
  readonly layer: tf.layers.Layer;
  readonly tensor: string;
}

function comparedTensors(model: tf.LayersModel, graph: Graph, integers: QuantizedGraph): readonly Compared[] {
  const edges = edgesOf(WHERE, model, graph);
  // Averages with parameters of their own are rounded twice; the edge comes last.
  const averages = model.layers.filter((layer) => layer instanceof RoundingLayer && !edges.has(layer.config.value));
  const layers = [...edges, ...averages.map((layer) => [(layer as RoundingLayer).config.value, layer] as const)];
  return layers.map(([value, layer]) => {
    const tensor = codesTensor(integers, value);
    if (tensor !== undefined) return { value, layer, tensor };
    throw new QuantError(
      "invalid-model",
      `${WHERE}: expected integers made by convert from this model, got some without codes of "${value}"`,
      { value },
    );
  });
}

/** Samples in one run of the integer model. */
function batchOf({ inputs, tensors }: QuantizedGraph): number {
  return tensors[inputs[0]].shape[0];
}

/** The int8 tensor of a value: of its name, or behind or before the float tensor of its name. */
function codesTensor({ tensors, nodes }: QuantizedGraph, value: string): string | undefined {
  const isCodes = (name: string): boolean => Object.hasOwn(tensors, name) && tensors[name].dtype === "int8";
  if (isCodes(value)) return value;
  const border = nodes.find(
    (node) =>
      (node.op === "quantize" && node.inputs[0] === value) || (node.op === "dequantize" && node.output === value),
  );
  if (border === undefined) return undefined;
  const codes = border.op === "quantize" ? border.output : border.inputs[0];
  return isCodes(codes) ? codes : undefined;
}

/** The simulation's codes of a batch by tensor, and its first output. */
function simulate(
  model: tf.LayersModel,
  inputs: tf.Tensor[],
  compared: readonly Compared[],
  { tensors }: QuantizedGraph,
): { readonly codes: Map<string, Int8Array>; readonly output: Float32Array } {
  return tf.tidy(() => {
    const rounded = new Map<tf.layers.Layer, Float32Array[]>();
    const record = (layer: tf.layers.Layer, x: tf.Tensor): void => {
      const values = x.dataSync<"float32">();
      rounded.set(layer, [...(rounded.get(layer) ?? []), values]);
    };
    const [output] = [whileRecording(record, () => model.apply(inputs, { training: false }))].flat() as tf.Tensor[];
    const codes = new Map<string, Int8Array>();
    for (const { layer, tensor } of compared) {
      const values = rounded.get(layer)?.shift() as Float32Array;
      const { scale, zeroPoint } = tensors[tensor] as Int8Tensor;
      codes.set(tensor, quantize(values, { scale, zeroPoint, qmin: -128, qmax: 127 }) as Int8Array);
    }
    return { codes, output: output.dataSync<"float32">() } as never;
  });
}

/** How many samples have their largest value, the first among equals, at their label. */
function hitsOf(output: TensorData, size: number, labels: ArrayLike<number>, start: number): number {
  const classes = output.length / size;
  let hits = 0;
  for (let i = 0; i < size; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (output[i * classes + c] > output[i * classes + best]) best = c;
    if (best === labels[start + i]) hits++;
  }
  return hits;
}
