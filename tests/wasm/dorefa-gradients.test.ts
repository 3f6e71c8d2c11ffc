import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaGradients, type GradientOptions } from "../../src/wasm/dorefa-gradients.js";
import { nniGradient } from "../contracts/nni-gradient.js";

// What rounding with noise is for: on average it changes nothing. Draws are elements of one sample, each with its own noise.

const DRAWS = 1_000_000;
const SOURCE = { seed: 20_160_620, step: 0, tensor: 0 };
const draws = new Float32Array(DRAWS + 1);
const results = new Float32Array(DRAWS + 1);

/** Places between −m and m: both ends and their neighbours, the middle, and points of no grid. */
const POSITIONS = [-1, -0.999, -0.7, -0.5, -1 / 3, -0.01, 0, 1e-6, 0.123, 0.25, 0.5, 0.77, 0.95, 0.99999, 1];

interface Moments {
  readonly mean: number;
  readonly standardError: number;
}

function momentsOf(values: Float32Array): Moments {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, standardError: Math.sqrt(squares / values.length / values.length) };
}

/** 10^6 draws of dr at a part of the maximum m. */
function drawsAt(dr: number, m: number, bits: number, step: number): Float32Array {
  draws.fill(dr);
  draws[DRAWS] = m;
  return dorefaGradients(draws, bits, { ...SOURCE, step, batch: 1, out: results }).subarray(0, DRAWS);
}

/** Correlation of two series. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [{ mean: p }, { mean: q }] = [momentsOf(a), momentsOf(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - p) * (b[i] - q);
    aa += (a[i] - p) ** 2;
    bb += (b[i] - q) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

describe("dorefaGradients", () => {
  for (let bits = 1; bits <= 8; bits++) {
    it(`is unbiased: ${bits} bits, the mean of 10^6 draws within 4 standard errors everywhere in the range`, () => {
      const m = Math.fround(0.37);
      for (const [i, position] of POSITIONS.entries()) {
        const dr = Math.fround(position * m);
        const { mean, standardError } = momentsOf(drawsAt(dr, m, bits, bits * 100 + i));
        // Values on the grid have no noise and no standard error; each is rounded to float32 a few times.
        assert.ok(
          Math.abs(mean - dr) <= 4 * standardError + m * 2 ** -23,
          `dr ${dr}: mean ${mean}, standard error ${standardError}`,
        );
      }
    });
  }

  it("rounds both ways off the grid, and not at all on it", () => {
    assert.equal(new Set(drawsAt(0.3, 1, 4, 1)).size, 2);
    assert.deepEqual([...new Set(drawsAt(-1, 1, 8, 2))], [-1]);
    assert.deepEqual([...new Set(drawsAt(1, 1, 8, 3))], [1]);
  });

  it("the contrast: NNI v3's grid is biased, by a third of the maximum with int2", () => {
    // One draw per element here, where NNI has one per sample: the mean is the same.
    const sigmas = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000 - 0.5);
    const biasOf = (bits: number, signed: boolean): number => {
      const worst = POSITIONS.map((position) => {
        const mean = sigmas.reduce((sum, sigma) => sum + nniGradient(position, 1, bits, signed, sigma), 0) / 1000;
        return Math.abs(mean - position);
      });
      return Math.max(...worst);
    };
    const measured = [2, 3, 4].flatMap((bits) => [biasOf(bits, true), biasOf(bits, false)]);
    // In parts of the maximum: int2, uint2, int3, uint3, int4, uint4.
    const expected = [0.333, 0.111, 0.045, 0.02, 0.008, 0.004];
    for (const [i, bias] of measured.entries()) assert.ok(Math.abs(bias - expected[i]) < 0.0006, `${i}: ${bias}`);
    for (const bits of [2, 3, 4]) {
      const own = POSITIONS.map((position, i) => {
        const dr = Math.fround(position);
        return Math.abs(momentsOf(drawsAt(dr, 1, bits, 7000 + i)).mean - dr);
      });
      // Of 10^6 draws; the smallest of NNI's biases is several times as large.
      assert.ok(Math.max(...own) < 0.0015, `${bits} bits: ${Math.max(...own)}`);
    }
  });

  it("noise of different elements is uncorrelated, at distances of 1…8, a row, and a sample", () => {
    const values = drawsAt(0.1, 1, 1, 5).slice();
    for (const distance of [1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 128, 1000, 65_536]) {
      const found = correlation(values.subarray(0, DRAWS - distance), values.subarray(distance));
      // 4 standard errors of a correlation; one draw per sample would give 1.
      assert.ok(Math.abs(found) < 4 / Math.sqrt(DRAWS - distance), `distance ${distance}: ${found}`);
    }
  });

  it("other seeds, steps, tensors and offsets have other noise, uncorrelated with the first", () => {
    const n = 100_000;
    const dr = new Float32Array(n).fill(0.1);
    dr[n - 1] = 1;
    const run = (change: Partial<GradientOptions>): Float32Array =>
      dorefaGradients(dr, 1, { ...SOURCE, batch: 1, ...change });
    const first = run({});
    assert.deepEqual(run({}), first);
    for (const change of [{ seed: 1 }, { step: 1 }, { step: 2 }, { tensor: 1 }, { tensor: 2 }, { offset: n }]) {
      const found = correlation(first.subarray(0, n - 1), run(change).subarray(0, n - 1));
      assert.ok(Math.abs(found) < 4 / Math.sqrt(n), `${JSON.stringify(change)}: ${found}`);
    }
  });

  it("samples of a batch have different noise", () => {
    const size = 5000;
    const dr = new Float32Array(4 * size).map((_, i) => (i % size === 0 ? 1 : 0.2));
    const found = dorefaGradients(dr, 2, { ...SOURCE, batch: 4 });
    const samples = [0, 1, 2, 3].map((i) => found.subarray(i * size + 1, (i + 1) * size));
    for (let i = 1; i < 4; i++) {
      assert.ok(Math.abs(correlation(samples[0], samples[i])) < 4 / Math.sqrt(size), `sample ${i}`);
    }
  });

  it("the same bits for the same seed, on every build and host", () => {
    // Signs of 48 draws, written out, so that a change of the noise is seen.
    const dr = new Float32Array(48).fill(0.1);
    dr[0] = 1;
    const found = dorefaGradients(dr, 1, { seed: 1, step: 2, tensor: 3, batch: 1, offset: 4 });
    assert.equal(
      [...found].map((value) => (value > 0 ? "+" : "-")).join(""),
      "++-+--++++++-++-++++-++-++----++-+++++++++--++++",
    );
  });
});
