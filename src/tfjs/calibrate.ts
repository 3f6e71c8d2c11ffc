import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { histogramObserver } from "../observers/histogram-observer.js";
import { minMaxObserver } from "../observers/min-max-observer.js";
import { movingAverageObserver } from "../observers/moving-average-observer.js";
import type { Observer, ObserverState } from "../observers/observer.js";
import { observerFromJSON } from "../observers/observer-from-json.js";
import { whileCollecting } from "./simulated/call-mode.js";
import { EdgeLayer, optionsOf } from "./simulated/edge-layer.js";

const WHERE = "calibrate";

/**
 * What to calibrate with: one tensor per input of the model, samples along the first axis, which is cut into batches; or a
 * sequence of batches.
 */
export type CalibrationSamples = tf.Tensor | tf.Tensor[] | Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>;

/** One tensor per input of the model; a lone one also by itself. */
export type CalibrationBatch = tf.Tensor | tf.Tensor[];

/** What the observers of a model have seen, by name of the value: plain data. */
export type CalibrationState = Readonly<Record<string, ObserverState>>;

export interface CalibrateOptions {
  /** How a range follows from what was seen. Default minMax. */
  readonly observer?: "minMax" | "movingAverage" | "percentile" | "mse";
  /** For percentile: how much of the data a range holds, in (0, 100]. Default 99.99. */
  readonly percentile?: number;
  /** Samples per batch, where tensors are cut. Default 32. */
  readonly batchSize?: number;
  /** States of earlier or parallel calibrations with the same observer, to be taken in. */
  readonly merge?: readonly CalibrationState[];
  /** Called after each batch with the number of samples seen so far. */
  readonly onBatch?: (samples: number) => void;
}

/**
 * Finds the ranges of a simulated model's activations from samples, without training.
 *
 * Samples run through the model in float, and an observer collects what passes each quantizer; then the ranges are set, all at
 * once. Weights need no samples: their ranges are their own. After it the model evaluates as the integers will, and training may
 * go on from there.
 *
 * @param model made by QATQuantizer.compress
 * @returns what was seen, for `merge` of another call
 *
 * Errors: TypeError, RangeError for samples or options of a wrong kind; QuantError `invalid-model` for another model,
 * `not-calibrated` without a sample, `non-finite` naming value and index for NaN or ±Infinity: no range is set then.
 */
export async function calibrate(
  model: tf.LayersModel,
  samples: CalibrationSamples,
  options: CalibrateOptions = {},
): Promise<CalibrationState> {
  const edges = observedEdges(model);
  const observers = new Map<string, Observer>();
  for (const { config } of edges) observers.set(config.value, observerFor(options));
  for (const state of options.merge ?? []) mergeState(observers, state);
  let seen = 0;
  for await (const batch of batchesOf(model, samples, options.batchSize ?? 32)) {
    const inputs = Array.isArray(batch) ? batch : [batch];
    const collect = (value: string, x: tf.Tensor): void => {
      observers.get(value)?.observe(x.dataSync<"float32">(), {}, `${WHERE}: "${value}"`);
    };
    tf.tidy(() => {
      whileCollecting(collect, () => model.apply(inputs, { training: false }));
    });
    seen += inputs[0].shape[0] ?? 1;
    options.onBatch?.(seen);
    await tf.nextFrame();
  }
  const ranges = edges.map((edge) => {
    const { value, quantizer } = edge.config;
    const observer = observers.get(value) as Observer;
    if (observer.count === 0) {
      throw new QuantError("not-calibrated", `${WHERE}: expected at least one sample, got none`);
    }
    return [edge, observer.range(optionsOf(quantizer), `${WHERE}: "${value}"`)] as const;
  });
  for (const [edge, { min, max }] of ranges) edge.setRange({ min: min as number, max: max as number });
  return Object.fromEntries([...observers].map(([value, observer]) => [value, observer.toJSON()]));
}

/** The edge layers with a range to find. */
function observedEdges(model: tf.LayersModel): EdgeLayer[] {
  const layers: readonly unknown[] = (model as { layers?: readonly unknown[] } | undefined)?.layers ?? [];
  const edges = layers.filter((layer) => layer instanceof EdgeLayer);
  if (edges.length === 0) {
    throw new QuantError(
      "invalid-model",
      `${WHERE}: expected a model with quantized activations, made by QATQuantizer.compress, got one without`,
    );
  }
  return edges.filter(({ config }) => !("fixed" in config.quantizer));
}

function observerFor({ observer = "minMax", percentile }: CalibrateOptions): Observer {
  switch (observer) {
    case "minMax":
      return minMaxObserver();
    case "movingAverage":
      return movingAverageObserver();
    case "mse":
      return histogramObserver({ method: "mse" });
    case "percentile":
      return histogramObserver({ method: "percentile", ...(percentile !== undefined && { percentile }) });
    default:
      throw new TypeError(
        `${WHERE}: expected observer minMax, movingAverage, percentile or mse, got ${JSON.stringify(observer)}`,
      );
  }
}

function mergeState(observers: ReadonlyMap<string, Observer>, state: CalibrationState): void {
  for (const [value, observer] of observers) {
    const known = state[value];
    if (known === undefined) {
      throw new QuantError("invalid-model", `${WHERE}: expected a state that knows "${value}", got another model's`);
    }
    observer.merge(observerFromJSON(known));
  }
}

async function* batchesOf(
  model: tf.LayersModel,
  samples: CalibrationSamples,
  batchSize: number,
): AsyncGenerator<CalibrationBatch> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`${WHERE}: expected an integer batchSize ≥ 1, got ${String(batchSize)}`);
  }
  const whole = wholeInputs(model, samples);
  if (whole === undefined) {
    yield* samples as Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>;
    return;
  }
  const [count] = whole[0].shape;
  if (whole.some(({ shape }) => shape[0] !== count)) {
    const counts = whole.map(({ shape }) => shape[0]).join(" and ");
    throw new RangeError(`${WHERE}: expected inputs with equally many samples, got ${counts}`);
  }
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    const batch = whole.map((x) => tf.slice(x, start, size));
    yield batch;
    tf.dispose(batch);
  }
}

/** The inputs, where whole tensors were given; undefined for a sequence of batches. */
function wholeInputs({ inputs }: tf.LayersModel, samples: CalibrationSamples): tf.Tensor[] | undefined {
  if (samples instanceof tf.Tensor) return [samples];
  if (Array.isArray(samples) && samples.length === inputs.length && samples.every((x) => x instanceof tf.Tensor)) {
    return samples as tf.Tensor[];
  }
  const given = samples as object | null | undefined;
  if (typeof given === "object" && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given)) {
    return undefined;
  }
  throw new TypeError(`${WHERE}: expected tensors or a sequence of batches, got ${String(samples)}`);
}
