import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { histogramObserver } from "../observers/histogram-observer.js";
import { minMaxObserver } from "../observers/min-max-observer.js";
import { movingAverageObserver } from "../observers/moving-average-observer.js";
import type { Observer, ObserverState } from "../observers/observer.js";
import { observerFromJSON } from "../observers/observer-from-json.js";
import { batchesOf, type CalibrationSamples } from "./sample-batches.js";
import { whileCollecting } from "./simulated/call-mode.js";
import { EdgeLayer, optionsOf } from "./simulated/edge-layer.js";

const WHERE = "calibrate";

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
  for await (const batch of batchesOf(WHERE, model, samples, options.batchSize)) {
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
