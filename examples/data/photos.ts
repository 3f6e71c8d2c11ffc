import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import jpeg from "jpeg-js";

/** Square colour crops in [0, 1], NHWC. */
export interface Crops {
  readonly data: Float32Array;
  readonly count: number;
  readonly side: number;
}

/** Size of a crop as a share of the photo's shorter side, and its place from left or top (0) to right or bottom (1). */
const PLACES = [
  [1, 0.5, 0.5],
  [0.7, 0, 0],
  [0.7, 1, 0],
  [0.7, 0, 1],
  [0.7, 1, 1],
  [0.5, 0.25, 0.5],
  [0.5, 0.5, 0.25],
  [0.5, 0.75, 0.5],
];

/** Eight crops of each of the first sample photos in the npm package @vladmandic/face-api, scaled bilinearly. */
export function photoCrops(side: number, photos: number): Crops {
  const folder = dirname(createRequire(import.meta.url).resolve("@vladmandic/face-api/package.json"));
  const count = photos * PLACES.length;
  const data = new Float32Array(count * side * side * 3);
  for (let photo = 0; photo < photos; photo++) {
    const image = jpeg.decode(readFileSync(join(folder, "demo", `sample${photo + 1}.jpg`)), { useTArray: true });
    PLACES.forEach(([share, x, y], place) => {
      const size = Math.min(image.width, image.height) * share;
      const left = (image.width - size) * x;
      const top = (image.height - size) * y;
      const start = (photo * PLACES.length + place) * side * side * 3;
      crop(image, left, top, size, data.subarray(start, start + side * side * 3), side);
    });
  }
  return { data, count, side };
}

function crop(
  image: { width: number; height: number; data: Uint8Array },
  left: number,
  top: number,
  size: number,
  out: Float32Array,
  side: number,
): void {
  const at = (x: number, y: number, c: number): number => image.data[(y * image.width + x) * 4 + c];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const fx = Math.min(image.width - 1, left + ((column + 0.5) * size) / side);
      const fy = Math.min(image.height - 1, top + ((row + 0.5) * size) / side);
      const x = Math.min(image.width - 2, Math.floor(fx));
      const y = Math.min(image.height - 2, Math.floor(fy));
      for (let c = 0; c < 3; c++) {
        const upper = at(x, y, c) + (at(x + 1, y, c) - at(x, y, c)) * (fx - x);
        const lower = at(x, y + 1, c) + (at(x + 1, y + 1, c) - at(x, y + 1, c)) * (fx - x);
        out[(row * side + column) * 3 + c] = (upper + (lower - upper) * (fy - y)) / 255;
      }
    }
  }
}
