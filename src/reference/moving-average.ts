import { fl } from "./rounding.js";

/**
 * One step of an exponential moving average over float32 state, in place.
 *
 *     state = fl(decay · state + (1 − decay) · batch)
 *
 * Computed in float64, rounded to float32 once. Source: Jacob et al. 2018, §3.1.
 */
export function movingAverage(state: Float32Array, batch: Float32Array, decay: number): void {
  for (let i = 0; i < state.length; i++) {
    state[i] = fl(decay * state[i] + (1 - decay) * batch[i]);
  }
}
