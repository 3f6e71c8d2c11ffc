import { describe, it } from "node:test";
import type { Grid } from "../../src/core/grid.js";
import { codesFor, gridOf } from "../../src/core/grid.js";
import { type QuantParams, resolveParams } from "../../src/core/quant-params.js";
import { fakeQuantize as defineFakeQuantize } from "../../src/reference/fake-quantize.js";
import { quantize as defineQuantize } from "../../src/reference/quantize.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";
import { quantize } from "../../src/wasm/quantize.js";
import { neighbour, zeroPointsOf } from "./awkward-values.js";
import { assertSameBytes } from "./bytes.js";

// Kernels decide by 128 values whether products may stand for quotients (assembly/core/near-ties.ts). So here each value that
// may come out on the wrong side of a tie is alone among 127 that cannot.

const CHUNK = 128;
const GRIDS = [gridOf("test", { bits: 8 }), gridOf("test", { bits: 8, signed: false }), gridOf("test", { bits: 5 })];
/** Ordinary ones, powers of two, awkward mantissas, and both ends of what 1/scale can be. */
const SCALES = [0.0235, 1 / 3, 1, 7, 1.1754943508222875e-38, 1e-40, 1e-45, 2 ** 124, 2 ** 125, 3e37, 1.7e38].concat(
  Array.from({ length: 6 }, (_, i) => 2 ** (i - 3) * (1 + ((i * 0.6180339887) % 1))),
);

/** Infinities, NaN with and without a payload, of both signs, and values of about ±2^24, ±2^25 and ±2^127. */
const SPECIAL_BITS = [
  ...[0x7f800000, 0x7fc00000, 0x7fc12345, 0x7f812345, 0x4b987654, 0x4c187654, 0x7f123456],
  ...[0xff800000, 0xffc00000, 0xffc54321, 0xff854321, 0xcb987654, 0xcc187654, 0xff123456],
];

/** Values around every tie of the grid, and around the first two beyond each end, one to a chunk. */
function valuesAroundTies(scale: number, zeroPoint: number, { qmin, qmax }: Grid): Float32Array {
  const values: number[] = [];
  for (let k = qmin - zeroPoint - 2; k <= qmax - zeroPoint + 1; k++) {
    const tie = (k + 0.5) * scale;
    if (!Number.isFinite(Math.fround(tie))) continue;
    for (let ulps = -3; ulps <= 3; ulps++) values.push(neighbour(tie, ulps));
    for (const steps of [-6, -4, -2, 2, 4, 6]) values.push(tie + (steps + 0.5) * 2 ** -15 * scale);
  }
  const x = new Float32Array(values.length * CHUNK).fill(0.25 * scale);
  values.forEach((value, i) => {
    x[i * CHUNK + (i % CHUNK)] = value;
  });
  return x;
}

function assertDefined(x: Float32Array, params: QuantParams): void {
  const resolved = resolveParams("test", params, x.length);
  const what = `scale ${params.scale}, zeroPoint ${params.zeroPoint}, [${params.qmin}, ${params.qmax}]`;
  const codes = codesFor(params, x.length);
  defineQuantize(x, resolved, codes);
  assertSameBytes(quantize(x, params), codes, `quantize, ${what}`);
  const values = new Float32Array(x.length);
  defineFakeQuantize(x, resolved, values);
  assertSameBytes(fakeQuantize(x, params), values, `fakeQuantize, ${what}`);
  const place = x.slice();
  assertSameBytes(fakeQuantize(place, params, { out: place }), values, `fakeQuantize in place, ${what}`);
}

/** quantize and fakeQuantize give the codes of the definition next to ties. */
export function nearTiesContract(): void {
  describe("next to ties", () => {
    for (const scale of SCALES.map(Math.fround)) {
      it(`scale ${scale}`, () => {
        for (const grid of GRIDS) {
          for (const zeroPoint of zeroPointsOf(grid)) {
            assertDefined(valuesAroundTies(scale, zeroPoint, grid), { scale, zeroPoint, ...grid });
          }
        }
      });
    }
    for (const bits of SPECIAL_BITS) {
      it(`0x${bits.toString(16)} among ordinary values, in each place`, () => {
        for (const grid of GRIDS) {
          const x = new Float32Array(CHUNK * CHUNK);
          // On the grid and a seventieth of a step or more from every tie.
          for (let i = 0; i < x.length; i++) x[i] = 0.3 * (((i * 13) % 41) - 20.2);
          const asBits = new Uint32Array(x.buffer);
          for (let i = 0; i < x.length; i += CHUNK + 1) asBits[i] = bits;
          assertDefined(x, { scale: Math.fround(0.7), zeroPoint: Math.trunc((grid.qmin + grid.qmax) / 2), ...grid });
        }
      });
    }
  });
}
