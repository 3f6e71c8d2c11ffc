import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dequantizeChannelLoop, dequantizeLoops } from "../../bench/loops/dequantize.js";
import { gradientsLoop } from "../../bench/loops/dorefa-gradients.js";
import { looseTanhLoop, weightsLoops } from "../../bench/loops/dorefa-weights.js";
import { looseWeightsGradientLoop, weightsGradientLoop } from "../../bench/loops/dorefa-weights-gradient.js";
import { fakeQuantizeChannelLoop, fakeQuantizeLoops } from "../../bench/loops/fake-quantize.js";
import { gradientChannelLoop, gradientLoops } from "../../bench/loops/fake-quantize-gradient.js";
import { minMaxChannelLoop, minMaxLoops } from "../../bench/loops/min-max.js";
import { looseQuantizeLoop, quantizeChannelLoop, quantizeLoops } from "../../bench/loops/quantize.js";
import { signLoops } from "../../bench/loops/sign-activations.js";
import { exactTanh } from "../../bench/loops/tanh.js";
import { gridOf } from "../../src/core/grid.js";
import { type ResolvedParams, resolveParams } from "../../src/core/quant-params.js";
import { unitGrid } from "../../src/core/unit-grid.js";
import { dequantize } from "../../src/reference/dequantize.js";
import { dorefaActivations } from "../../src/reference/dorefa-activations.js";
import { dorefaActivationsGradient } from "../../src/reference/dorefa-activations-gradient.js";
import { dorefaGradients } from "../../src/reference/dorefa-gradients.js";
import { dorefaWeights } from "../../src/reference/dorefa-weights.js";
import { dorefaWeightsGradient } from "../../src/reference/dorefa-weights-gradient.js";
import { fakeQuantize } from "../../src/reference/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/reference/fake-quantize-gradient.js";
import { minMax } from "../../src/reference/min-max.js";
import { quantize } from "../../src/reference/quantize.js";
import { signActivations } from "../../src/reference/sign-activations.js";
import { tanh } from "../../src/reference/tanh.js";
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

/** Weights with a given largest magnitude: spread evenly, around 0, twice the largest, and in a length that 4 does not divide. */
function weightsUpTo(largest: number): Float32Array {
  const spread = Array.from({ length: 2003 }, (_, i) => ((i - 1001) / 1001) * largest);
  return Float32Array.from([...spread, 0, -0, largest / 3, 2 ** -149, -(2 ** -149), largest]);
}

/** The values on both sides of each place where the rounded value changes. */
function aroundThresholds(largest: number, bits: number): Float32Array {
  const codes = new Float32Array(3);
  const codeAt = (w: number): number => {
    dorefaWeights(Float32Array.of(w, largest), bits, codes);
    return codes[0];
  };
  const values = [largest];
  for (let j = 1; j < 2 ** bits; j++) {
    const wanted = Math.fround((2 * j - 2 ** bits + 1) * Math.fround(1 / (2 ** bits - 1)));
    let [low, high] = [-largest, largest];
    for (let step = 0; step < 60; step++) {
      const middle = low / 2 + high / 2;
      if (codeAt(Math.fround(middle)) >= wanted) high = middle;
      else low = middle;
    }
    const first = Math.fround(high);
    for (let ulps = -2; ulps <= 2; ulps++) {
      const value = neighbour(first, ulps);
      if (Math.abs(value) <= largest) values.push(value);
    }
  }
  return Float32Array.from(values);
}

describe("the JavaScript loops of the bench, of DoReFa", () => {
  const LARGEST = [2 ** -149, 2 ** -120, 1e-3, 0.4, 1, 4.3, 12, 2 ** 127].map(Math.fround);

  it("have the reference's tanh", () => {
    const some = Float32Array.from({ length: 200_001 }, (_, i) => (i - 100_000) / 10_000);
    for (const x of [...some, 0, -0, 2 ** -149, -(2 ** -149), 2 ** 127, 1e-30]) {
      // The sign of 0 decides nothing that is rounded.
      if (exactTanh(x) !== tanh(x)) assert.fail(`tanh(${x}): expected ${tanh(x)}, got ${exactTanh(x)}`);
    }
  });

  for (const bits of [1, 2, 3, 4, 5, 8]) {
    it(`round weights to ${bits} bits as the reference does`, () => {
      const tensors = LARGEST.flatMap((largest) => [weightsUpTo(largest), aroundThresholds(largest, bits)]);
      for (const w of [...tensors, Float32Array.of(0, -0, 0)]) {
        const expected = new Float32Array(w.length);
        const actual = new Float32Array(w.length);
        assert.equal(dorefaWeights(w, bits, expected), true);
        for (const loop of weightsLoops(bits)) {
          assert.equal(loop(w, bits, actual.fill(99)), true);
          assertSameBytes(actual, expected, `${loop.name}, largest ${w.at(-1)}`);
        }
      }
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let i = 0; i < 5; i++) {
          const spoilt = Float32Array.of(1, 2, 3, 4, 5).fill(bad, i, i + 1);
          for (const loop of weightsLoops(bits))
            assert.equal(loop(spoilt, bits, new Float32Array(5)), false, loop.name);
        }
      }
    });
  }

  it("form the gradient of weights as the reference does", () => {
    for (const w of [...LARGEST.map(weightsUpTo), Float32Array.of(0, -0, 0)]) {
      const dy = Float32Array.from(w, (_, i) => (i % 17) - 8.3);
      const expected = new Float32Array(w.length);
      const actual = new Float32Array(w.length).fill(99);
      assert.equal(dorefaWeightsGradient(dy, w, expected), true);
      assert.equal(weightsGradientLoop(dy, w, actual), true);
      assertSameBytes(actual, expected, `largest ${w.at(-1)}`);
    }
    const spoilt = Float32Array.of(1, Number.NaN);
    assert.equal(weightsGradientLoop(spoilt, spoilt, new Float32Array(2)), false);
  });

  it("round gradients as the reference does", () => {
    for (const largest of LARGEST) {
      const dr = Float32Array.from([...weightsUpTo(largest), 0]);
      const batch = dr.length / 2;
      for (const bits of [1, 2, 4, 8]) {
        for (const samples of [1, batch]) {
          const expected = new Float32Array(dr.length);
          const actual = new Float32Array(dr.length).fill(99);
          const key = 0xdeadbeef;
          assert.equal(dorefaGradients(dr, bits, { batch: samples, key, first: 0 }, expected), true);
          assert.equal(gradientsLoop(dr, bits, samples, key, actual), true);
          assertSameBytes(actual, expected, `${bits} bits, ${samples} samples, largest ${largest}`);
        }
      }
    }
    const spoilt = Float32Array.of(1, Number.NaN);
    assert.equal(gradientsLoop(spoilt, 2, 1, 0, new Float32Array(2)), false);
  });

  it("clip, take signs and pass gradients as the reference does", () => {
    const x = Float32Array.from([...valuesFor(1 / 3, 0), ...valuesFor(1 / 255, 0)]);
    const dy = Float32Array.from(x, (_, i) => (i % 17) - 8.5);
    const expected = new Float32Array(x.length);
    const actual = new Float32Array(x.length);
    for (const bits of [1, 2, 4, 8]) {
      dorefaActivations(x, bits, expected);
      const { scale, qmax } = unitGrid(bits);
      for (const loop of fakeQuantizeLoops) {
        loop(x, actual.fill(99), scale, 0, 0, qmax);
        assertSameBytes(actual, expected, `dorefaActivations, ${bits} bits, ${loop.name}`);
      }
    }
    dorefaActivationsGradient(dy, x, expected);
    for (const loop of gradientLoops) {
      loop(dy, x, actual.fill(99), 0, 1);
      assertSameBytes(actual, expected, `dorefaActivationsGradient, ${loop.name}`);
    }
    signActivations(x, expected);
    for (const loop of signLoops) {
      loop(x, actual.fill(99));
      assertSameBytes(actual, expected, `signActivations, ${loop.name}`);
    }
  });

  it("are close to the definition in the loose forms", () => {
    const w = weightsUpTo(2);
    const dy = Float32Array.from(w, (_, i) => (i % 17) - 8.3);
    const expected = new Float32Array(w.length);
    const actual = new Float32Array(w.length);
    dorefaWeights(w, 4, expected);
    looseTanhLoop(w, 4, actual);
    // Both are float32 within one rounding of the same grid: no code differs in these weights.
    assert.ok(w.every((_, i) => Math.abs(actual[i] - expected[i]) < 1e-6));
    dorefaWeightsGradient(dy, w, expected);
    looseWeightsGradientLoop(dy, w, actual);
    // A few ulp of tanh (3 at most), of 1 - tanh² where it is small, and of a sum of 2,000.
    assert.ok(w.every((_, i) => Math.abs(actual[i] - expected[i]) < 1e-4));
  });
});
