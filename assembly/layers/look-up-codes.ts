import { rows, run, weights, xRowBytes, yRowBytes } from "../core/layer-words";

/**
 * One code for each code.
 *
 *     y[r, e] = weights[x[r, e] + 128],   e < run
 */
export function lookUpCodes(layer: usize, x: usize, y: usize): void {
  const table = weights(layer) + 128;
  const length = run(layer);
  let left = rows(layer);
  do {
    let from = x;
    let to = y;
    const end = x + length;
    do {
      store<u8>(to++, load<u8>(table + <isize>load<i8>(from++)));
    } while (from < end);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
