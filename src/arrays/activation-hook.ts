import { QuantError } from "../core/errors.js";
import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { RangeState } from "../observers/observer.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { fakeQuantize } from "../wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../wasm/fake-quantize-gradient.js";
import { minMax } from "../wasm/min-max.js";
import { movingAverage } from "../wasm/moving-average.js";
import { observeFakeQuantize } from "../wasm/observe-fake-quantize.js";
import type { TrainingPhase } from "./training-phase.js";

/** One activation in training: its range follows the data, and its values are rounded to the grid of that range. */
export interface ActivationHook {
  /** x observed and rounded, as the phase says; x itself where nothing is rounded. */
  forward(x: Float32Array, phase: TrainingPhase): Float32Array;
  /** The straight-through gradient of the last forward; dy itself where that rounded nothing. */
  gradient(dy: Float32Array): Float32Array;
  /** Parameters of the range so far. Throws QuantError `not-calibrated` before any data was seen. */
  params(): QuantParams;
  seen(): boolean;
  /** The range so far, per tensor, as movingAverageObserver states it. */
  toJSON(): RangeState;
}

/**
 * Makes the hook of one activation; `where` begins the message of its errors.
 *
 * The first observed batch initialises the range; each later one moves it by (1 − decay), in float64, rounded to float32.
 * `saved` is a state to go on from.
 */
export function activationHook(where: string, grid: GridOptions, decay: number, saved?: RangeState): ActivationHook {
  const range = Float32Array.of(saved?.min[0] ?? 0, saved?.max[0] ?? 0);
  let count = saved?.count ?? 0;
  let last: { readonly x: Float32Array; readonly params: QuantParams | undefined } | undefined;

  const observe = (x: Float32Array): void => {
    const { min, max } = minMax(x, {}, where);
    const batch = Float32Array.of(min[0], max[0]);
    if (count === 0) range.set(batch);
    else movingAverage(range, batch, decay);
    count++;
  };

  const params = (): QuantParams => {
    if (count > 0) return chooseQuantParams({ min: range[0], max: range[1] }, grid, where);
    throw new QuantError(
      "not-calibrated",
      `${where} has seen no data; call it in training before evaluation and before freezeObserversStep`,
    );
  };

  return {
    forward(x, { observes, quantizes }) {
      if (observes && quantizes) {
        const step = { first: count === 0, decay };
        const { values, params } = observeFakeQuantize(x, range, step, grid, undefined, where);
        count++;
        last = { x, params };
        return values;
      }
      if (observes) observe(x);
      last = { x, params: quantizes ? params() : undefined };
      return last.params === undefined ? x : fakeQuantize(x, last.params);
    },
    gradient(dy) {
      if (last === undefined) {
        throw new QuantError("not-calibrated", `${where}: expected values before their gradient, got none`);
      }
      return last.params === undefined ? dy : fakeQuantizeGradient(dy, last.x, last.params);
    },
    params,
    seen: () => count > 0,
    toJSON: () => (count === 0 ? { count, min: [], max: [] } : { count, min: [range[0]], max: [range[1]] }),
  };
}
