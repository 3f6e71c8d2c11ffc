// One step of an exponential moving average, in place.
//
//     state[i] = fl(decay * state[i] + (1 - decay) * batch[i])
//
// Shapes (pointers are byte offsets in linear memory):
//   state  f32[n]   read and written
//   batch  f32[n]   read
//
// Rounding: computed in float64, rounded to float32 once. n is a number of channels, so the loop is scalar.
// Source: Jacob et al. 2018, section 3.1.

// @ts-ignore: decorator
@inline export function movingAverage(state: f32, batch: f32, decay: f64): f32 {
  return <f32>(decay * <f64>state + (1 - decay) * <f64>batch);
}

export function movingAverageF32(state: usize, batch: usize, n: usize, decay: f64): void {
  for (let i: usize = 0; i < n << 2; i += 4) {
    store<f32>(state + i, movingAverage(load<f32>(state + i), load<f32>(batch + i), decay));
  }
}
