import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { RoundingLayer } from "../../../src/tfjs/simulated/rounding-layer.js";
import { noise } from "../../contracts/geometries.js";
import { go, nothingLeft, PLACES } from "../ops/backends.js";

const QUANTIZER = { bits: 8, signed: true, symmetric: false } as const;
const [SIDE, CHANNELS] = [12, 8];
const GRIDS = [
  { scale: Math.fround(6 / 255), zeroPoint: -128 },
  { scale: Math.fround(0.0371), zeroPoint: 3 },
  { scale: Math.fround(1 / 3), zeroPoint: 127 },
];
/** A map of codes, full of ties when averaged. */
const CODES = noise(SIDE * SIDE * CHANNELS, 1).map((value) => Math.round(value * 127));
const code = (row: number, column: number, channel: number): number =>
  CODES[(row * SIDE + column) * CHANNELS + channel];

/** What the layer gives for an average of the map, as codes. */
function rounded(
  average: (x: tf.Tensor4D) => tf.Tensor4D,
  config: { parts: number; ties: "away" | "up" },
  { scale, zeroPoint }: { scale: number; zeroPoint: number },
): number[] {
  return nothingLeft("rounding", () => {
    const layer = new RoundingLayer({ name: "rounding", value: "pool", quantizer: QUANTIZER as never, ...config });
    const x = tf.tensor4d(
      CODES.map((q) => (q - zeroPoint) * scale),
      [1, SIDE, SIDE, CHANNELS],
    );
    const y = layer.call([average(x), tf.tensor2d([scale, zeroPoint], [2, 1])]);
    return [...y.dataSync()].map((value) => Math.round(value / scale) + zeroPoint);
  });
}

for (const place of PLACES) {
  describe(`RoundingLayer on ${place}`, () => {
    for (const padding of ["valid", "same"] as const) {
      for (const pool of [2, 3, 5, 7]) {
        it(`average pool ${pool} × ${pool}, ${padding}: the integers' rounding, half away from code 0`, async () => {
          await go(place);
          const side = padding === "same" ? Math.ceil(SIDE / pool) : Math.floor(SIDE / pool);
          const before = padding === "same" ? (side * pool - SIDE) >> 1 : 0;
          const expected: number[] = [];
          for (let i = 0; i < side; i++) {
            for (let j = 0; j < side; j++) {
              for (let c = 0; c < CHANNELS; c++) {
                let [acc, n] = [0, 0];
                for (let row = i * pool - before; row < (i + 1) * pool - before; row++) {
                  for (let column = j * pool - before; column < (j + 1) * pool - before; column++) {
                    if (row < 0 || column < 0 || row >= SIDE || column >= SIDE) continue;
                    acc += code(row, column, c);
                    n++;
                  }
                }
                expected.push(Math.trunc((acc + Math.sign(acc) * (n >> 1)) / n) + 0);
              }
            }
          }
          for (const grid of GRIDS) {
            const config = { parts: pool * pool, ties: "away" } as const;
            assert.deepEqual(
              rounded((x) => tf.avgPool(x, pool, pool, padding), config, grid),
              expected,
            );
          }
        });
      }
    }

    for (const size of [2, 4]) {
      it(`bilinear upsampling by ${size}: half up`, async () => {
        await go(place);
        const expected: number[] = [];
        for (let i = 0; i < SIDE * size; i++) {
          for (let j = 0; j < SIDE * size; j++) {
            for (let c = 0; c < CHANNELS; c++) {
              const [row, column, u, v] = [Math.floor(i / size), Math.floor(j / size), i % size, j % size];
              const [below, right] = [Math.min(row + 1, SIDE - 1), Math.min(column + 1, SIDE - 1)];
              const top = code(row, column, c) * (size - v) + code(row, right, c) * v;
              const bottom = code(below, column, c) * (size - v) + code(below, right, c) * v;
              expected.push(Math.floor((top * (size - u) + bottom * u) / size ** 2 + 0.5));
            }
          }
        }
        for (const grid of GRIDS) {
          const config = { parts: size * size, ties: "up" } as const;
          const larger = (x: tf.Tensor4D) => tf.image.resizeBilinear(x, [SIDE * size, SIDE * size]);
          assert.deepEqual(rounded(larger, config, grid), expected);
        }
      });
    }

    it("grids of fewer bits round where their codes lie in int8: at the top, so that ties go up", async () => {
      await go(place);
      nothingLeft("bits", () => {
        const quantizer = { bits: 4, signed: true, symmetric: false } as const;
        const layer = new RoundingLayer({ name: "rounding", value: "pool", quantizer, parts: 2, ties: "away" });
        // Averages of two codes of -8…7 with zero point -2, in steps of 0.5.
        const codes = [-7.5, -6.5, -2.5, -0.5, 0.5, 6.5];
        const x = tf.tensor1d(codes.map((q) => (q + 2) * 0.5));
        const y = layer.call([x, tf.tensor2d([0.5, -2], [2, 1])]);
        assert.deepEqual(
          Array.from(y.dataSync()).map((value) => value / 0.5 - 2),
          [-7, -6, -2, 0, 1, 7],
        );
      });
    });

    it("an input that is not quantized stays as it is; the gradient is whole", async () => {
      await go(place);
      nothingLeft("gradient", () => {
        const layer = new RoundingLayer({
          name: "rounding",
          value: "pool",
          quantizer: QUANTIZER as never,
          parts: 4,
          ties: "away",
        });
        const x = tf.tensor1d([-0.3, 0, 1e-3, 7]);
        for (const [params, expected] of [
          [[0, 0], [...x.dataSync()]],
          [
            [1, 0],
            [0, 0, 0, 7],
          ],
        ]) {
          const { value, grad } = tf.valueAndGrad((v) => layer.call([v, tf.tensor2d(params, [2, 1])]))(x, tf.ones([4]));
          assert.deepEqual(
            [...value.dataSync()].map((v) => v + 0),
            expected,
          );
          assert.deepEqual([...grad.dataSync()], [1, 1, 1, 1]);
        }
      });
    });
  });
}
