import { columns, run, xPixelBytes, xStep } from "../core/layer-words";

/**
 * Index of the largest of `run` codes, xStep bytes apart, the first among equals.
 *
 *     y[q] = argmax x[q * xPixelBytes + e * xStep] over e < run,   i32, q < columns
 */
export function argMax(layer: usize, x: usize, y: usize): void {
  const length = run(layer);
  const step = xStep(layer);
  let left = columns(layer);
  do {
    let best = 0;
    let largest = <i32>load<i8>(x);
    let at = x;
    for (let i = 1; i < length; ++i) {
      at += step;
      const code = <i32>load<i8>(at);
      if (code > largest) {
        largest = code;
        best = i;
      }
    }
    store<i32>(y, best);
    y += 4;
    x += xPixelBytes(layer);
  } while (--left > 0);
}
