import { copyRun } from "../core/copy-run";
import { columns, rows, run, xPixelBytes, xRowBytes, xStep, yPixelBytes, yRowBytes } from "../core/layer-words";

/**
 * Copies codes in any order: concat, pad, strided slice, transpose, broadcast.
 *
 *     y[r, q, e] = x[r * xRowBytes + q * xPixelBytes + e * xStep],   e < run
 */
export function copyStrided(layer: usize, x: usize, y: usize): void {
  const length = run(layer);
  const step = xStep(layer);
  let left = rows(layer);
  do {
    let from = x;
    let to = y;
    let pixels = columns(layer);
    do {
      if (step == 1) {
        copyRun(to, from, length);
      } else {
        let at = from;
        const end = to + length;
        let code = to;
        do {
          store<u8>(code++, load<u8>(at));
          at += step;
        } while (code < end);
      }
      from += xPixelBytes(layer);
      to += yPixelBytes(layer);
    } while (--pixels > 0);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
