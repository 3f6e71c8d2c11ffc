import * as reference from "../reference/moving-average.js";
import { loadedKernels } from "./load.js";

/** One step of an exponential moving average, in place: state = fl(decay · state + (1 − decay) · batch). */
export function movingAverage(state: Float32Array, batch: Float32Array, decay: number): void {
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.movingAverage(state, batch, decay);
    return;
  }
  const { arena, exports } = kernels;
  arena.scope(() => {
    const from = arena.reserve(batch.byteLength);
    const to = arena.reserve(state.byteLength);
    const { f32 } = arena;
    f32.set(batch, from >>> 2);
    f32.set(state, to >>> 2);
    exports.movingAverageF32(to, from, state.length, decay);
    state.set(f32.subarray(to >>> 2, (to >>> 2) + state.length));
  });
}
