import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dequantizeChannelLoop, dequantizeLoops } from "../../bench/loops/dequantize.js";
import { fakeQuantizeChannelLoop, fakeQuantizeLoops } from "../../bench/loops/fake-quantize.js";
import { gradientChannelLoop, gradientLoops } from "../../bench/loops/fake-quantize-gradient.js";
import { minMaxChannelLoop, minMaxLoops } from "../../bench/loops/min-max.js";
import { looseQuantizeLoop, quantizeChannelLoop, quantizeLoops } from "../../bench/loops/quantize.js";
import { gridOf } from "../../src/core/grid.js";
import { type ResolvedParams, resolveParams } from "../../src/core/quant-params.js";
import { dequantize } from "../../src/reference/dequantize.js";
import { fakeQuantize } from "../../src/reference/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/reference/fake-quantize-gradient.js";
import { minMax } from "../../src/reference/min-max.js";
import { quantize } from "../../src/reference/quantize.js";
import { straightThroughBounds } from "../../src/wasm/fake-quantize-gradient.js";
import { awkwardBits, neighbour, SCALES, zeroPointsOf } from "../contracts/awkward-values.js";
import { assertSameBytes } from "../contracts/bytes.js";

// The loops that kernels are measured against do the same work: a loop that leaves out NaN, infinities or ties is no peer.

const GRID = gridOf("test", { bits: 8 });
const CASES = [...SCALES, Math.fround(6 / 255)].flatMap((scale) =>
  [...zeroPointsOf(GRID), 3].map((zeroPoint) => ({ scale, zeroPoint, ...GRID })),
);

/** Awkward floats and those around every tie of the grid, an even number of them. */
function valuesFor(scale: number, zeroPoint: number): Float32Array {
  const values = Array.from(new Float32Array(awkwardBits(scale, zeroPoint, GRID).buffer));
  for (let k = GRID.qmin - zeroPoint - 2; k <= GRID.qmax - zeroPoint + 1; k++) {
    const tie = Math.fround((k + 0.5) * scale);
    for (let ulps = -3; ulps <= 3 && Number.isFinite(tie); ulps++) values.push(neighbour(tie, ulps));
  }
  return Float32Array.from(values.slice(values.length % 2));
}

/** Two channels of one row each, the second with parameters of its own. */
function twoChannels(params: (typeof CASES)[number], length: number): ResolvedParams {
  return resolveParams(
    "test",
    {
      ...GRID,
      scale: Float32Array.of(params.scale, 0.75),
      zeroPoint: Int32Array.of(params.zeroPoint, -7),
      axis: 0,
    },
    length,
    { shape: [2, length / 2] },
  );
}

describe("the JavaScript loops of the bench", () => {
  for (const params of CASES) {
    const { scale, zeroPoint, qmin, qmax } = params;
    it(`do what the reference does at scale ${scale}, zero point ${zeroPoint}`, () => {
      const x = valuesFor(scale, zeroPoint);
      const n = x.length;
      const one = resolveParams("test", params, n);
      const two = twoChannels(params, n);
      const codes = { expected: new Int8Array(n), actual: new Int8Array(n) };
      const floats = { expected: new Float32Array(n), actual: new Float32Array(n) };

      quantize(x, one, codes.expected);
      for (const loop of quantizeLoops) {
        loop(x, codes.actual.fill(99), scale, zeroPoint, qmin, qmax);
        assertSameBytes(codes.actual, codes.expected, `quantize, ${loop.name}`);
      }
      quantize(x, two, codes.expected);
      quantizeChannelLoop(x, codes.actual.fill(99), two.scale, two.zeroPoint, qmin, qmax, two.view.inner);
      assertSameBytes(codes.actual, codes.expected, "quantize, channels");

      fakeQuantize(x, one, floats.expected);
      for (const loop of fakeQuantizeLoops) {
        loop(x, floats.actual.fill(99), scale, zeroPoint, qmin, qmax);
        assertSameBytes(floats.actual, floats.expected, `fakeQuantize, ${loop.name}`);
      }
      fakeQuantize(x, two, floats.expected);
      fakeQuantizeChannelLoop(x, floats.actual.fill(99), two.scale, two.zeroPoint, qmin, qmax, two.view.inner);
      assertSameBytes(floats.actual, floats.expected, "fakeQuantize, channels");

      const dy = Float32Array.from({ length: n }, (_, i) => (i % 17) - 8.5);
      const bounds = { one: straightThroughBounds(one), two: straightThroughBounds(two) };
      fakeQuantizeGradient(dy, x, one, floats.expected);
      for (const loop of gradientLoops) {
        loop(dy, x, floats.actual.fill(99), bounds.one.lo[0], bounds.one.hi[0]);
        assertSameBytes(floats.actual, floats.expected, `fakeQuantizeGradient, ${loop.name}`);
      }
      fakeQuantizeGradient(dy, x, two, floats.expected);
      gradientChannelLoop(dy, x, floats.actual.fill(99), bounds.two.lo, bounds.two.hi, two.view.inner);
      assertSameBytes(floats.actual, floats.expected, "fakeQuantizeGradient, channels");
    });

    it(`dequantize every code at scale ${scale}, zero point ${zeroPoint}`, () => {
      const q = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      const floats = { expected: new Float32Array(256), actual: new Float32Array(256) };
      dequantize(q, resolveParams("test", params, 256), floats.expected);
      for (const loop of dequantizeLoops) {
        loop(q, floats.actual.fill(99), scale, zeroPoint);
        assertSameBytes(floats.actual, floats.expected, `dequantize, ${loop.name}`);
      }
      const two = twoChannels(params, 256);
      dequantize(q, two, floats.expected);
      dequantizeChannelLoop(q, floats.actual.fill(99), two.scale, two.zeroPoint, two.view.inner);
      assertSameBytes(floats.actual, floats.expected, "dequantize, channels");
    });
  }

  it("quantize as the definition does away from ties, in the loose form", () => {
    const x = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000.7) / 10);
    x.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30]);
    const params = { scale: 1, zeroPoint: 3, ...GRID };
    const expected = new Int8Array(x.length);
    const actual = new Int8Array(x.length);
    quantize(x, resolveParams("test", params, x.length), expected);
    looseQuantizeLoop(x, actual, 1, 3, GRID.qmin, GRID.qmax);
    assertSameBytes(actual, expected, "looseQuantizeLoop");
  });

  it("find the range, and refuse what is not finite in any place", () => {
    const tensors = [
      [1, -2, 3, 4],
      [-0, -0, 0, -0],
      [5, 6, 7, 8],
      [-8, -7, -6, -5],
      [2 ** -149, 2 ** 127, -(2 ** 127), 0],
    ];
    for (const values of tensors.map((list) => Float32Array.from(list))) {
      const range = { min: new Float32Array(1), max: new Float32Array(1) };
      assert.equal(minMax(values, { outer: 1, channels: 1, inner: 4 }, range.min, range.max), true);
      for (const loop of minMaxLoops) assert.deepEqual(loop(values), [range.min[0], range.max[0]], loop.name);
      const pair = { min: new Float32Array(2), max: new Float32Array(2) };
      assert.equal(minMax(values, { outer: 1, channels: 2, inner: 2 }, pair.min, pair.max), true);
      assert.deepEqual(minMaxChannelLoop(values, 2, 2), [pair.min, pair.max]);
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let i = 0; i < values.length; i++) {
          const spoilt = values.slice().fill(bad, i, i + 1);
          for (const loop of minMaxLoops) assert.equal(loop(spoilt), undefined, `${loop.name}, ${bad} at ${i}`);
          assert.equal(minMaxChannelLoop(spoilt, 2, 2), undefined, `channels, ${bad} at ${i}`);
        }
      }
    }
  });
});
