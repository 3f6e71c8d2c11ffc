import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  dorefaActivations,
  dorefaActivationsGradient,
  dorefaGradients,
  dorefaWeights,
  dorefaWeightsGradient,
} from "../../src/index.js";
import { fl } from "../../src/reference/rounding.js";
import { nniGradient } from "./nni-gradient.js";
import { floats, readVectors, type VectorCase, type VectorNumber } from "./vector-file.js";

// NNI's DoReFa. v1 … v2 round weights by the paper's formula, but 1 bit; v3's unsigned grids of weights and outputs are the
// paper's, and its gradients, too. The rest of the original differs: each way is a test of its own that counts where.

/** Steps of float32 about a tie in which tanh implementations and roundings may differ, as the vectors' tolerance has it. */
const NEAR_TIE = 4 * 2 ** -23;

interface WeightCaseV1 extends VectorCase {
  readonly q_bits: number;
  readonly x: VectorNumber[];
  readonly dy: VectorNumber[];
  readonly y_torch: VectorNumber[];
  readonly y_tf_literal: VectorNumber[];
  readonly levels_torch?: number[];
  readonly has_nan: boolean;
}

interface CaseV3 extends VectorCase {
  readonly op: "weight" | "output" | "gradient";
  readonly quant_dtype: string;
  readonly quant_bits: number;
  readonly shape?: number[];
  readonly x: VectorNumber[];
  readonly y: VectorNumber[];
  readonly dy: VectorNumber[];
  readonly dx: VectorNumber[];
  readonly sigma: VectorNumber[];
  readonly has_nan?: boolean;
}

const v1 = readVectors<WeightCaseV1>("nni_dorefa_v1");
const v3 = readVectors<CaseV3>("nni_dorefa_v3");

const largestOf = (values: Iterable<number>): number => {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
};

/** Codes of float64's formula, unrounded. */
function exactCodes(x: Float32Array, bits: number): Float64Array {
  const t = Float64Array.from(x, Math.tanh);
  const most = largestOf(t);
  return t.map((value) => (2 ** bits - 1) * (value / (2 * most) + 0.5));
}

function isNearTie(code: number): boolean {
  return Math.abs(code - Math.floor(code) - 0.5) <= NEAR_TIE * Math.max(1, code);
}

/** Code of a weight on the grid. */
const codeOf = (y: number, bits: number): number => Math.round(((y + 1) / 2) * (2 ** bits - 1));

/** Compares weights with an original of the paper's formula; returns how often they are equal, and how often a near-tie's code differs. */
function compareWeights(x: Float32Array, bits: number, original: Float32Array, what: string) {
  const count = { values: 0, nearTies: 0 };
  const exact = exactCodes(x, bits);
  for (const [i, y] of dorefaWeights(x, bits).entries()) {
    count.values++;
    const [own, theirs] = [codeOf(y, bits), codeOf(original[i], bits)];
    if (own === theirs) {
      assert.ok(Math.abs(y - original[i]) <= 1e-6, `${what}, element ${i}: ${y}, original ${original[i]}`);
      continue;
    }
    assert.ok(Math.abs(own - theirs) === 1 && isNearTie(exact[i]), `${what}, element ${i}: ${own}, original ${theirs}`);
    count.nearTies++;
  }
  return count;
}

describe("NNI v1's DoReFa weights", () => {
  it("has 73 cases, and 1 whose result depends on the platform", () => {
    assert.deepEqual([v1.cases.length, v1.platformDependent.length], [73, 1]);
  });

  it("2 bits and more: the paper's formula, equal but at near-ties", () => {
    const count = { values: 0, nearTies: 0 };
    for (const { name, q_bits, x, y_torch, has_nan } of v1.cases) {
      if (q_bits === 1 || has_nan) continue;
      const one = compareWeights(floats(x), q_bits, floats(y_torch), name);
      count.values += one.values;
      count.nearTies += one.nearTies;
    }
    assert.deepEqual(count, { values: 1558, nearTies: 0 });
  });

  it("1 bit: the original gives ±1 by tanh, without E; here sign · E", () => {
    const count = { values: 0, sameSign: 0, zeroOrNearTie: 0 };
    for (const { x, q_bits, y_torch } of v1.cases) {
      if (q_bits !== 1) continue;
      const w = floats(x);
      const mean = w.reduce((sum, value) => sum + Math.abs(value), 0) / w.length;
      for (const [i, y] of dorefaWeights(w, 1).entries()) {
        count.values++;
        assert.ok(Math.abs(Math.abs(y) - mean) <= mean * 1e-6);
        assert.equal(Math.abs(Number(y_torch[i])), 1);
        if (Math.sign(y) === Number(y_torch[i])) count.sameSign++;
        else count.zeroOrNearTie++;
      }
    }
    assert.deepEqual(count, { values: 39, sameSign: 39, zeroOrNearTie: 0 });
  });

  it("only zeros: the original gives NaN; here the upper of the middle codes", () => {
    const zeros = v1.cases.filter(({ has_nan }) => has_nan);
    assert.deepEqual(
      zeros.map(({ name }) => name),
      ["edge_all_zero", "edge_signed_zeros"],
    );
    for (const { x, q_bits, y_torch } of zeros) {
      assert.deepEqual([...new Set(y_torch)], ["NaN"]);
      assert.deepEqual([...new Set(dorefaWeights(floats(x), q_bits))], [fl(1 / (2 ** q_bits - 1))]);
    }
  });

  it("the TensorFlow source has 2^(k−1) steps and divides by max|w|: its ends are not the grid's", () => {
    const count = { values: 0, equal: 0, different: 0 };
    for (const { x, q_bits, y_tf_literal, has_nan } of v1.cases) {
      if (q_bits === 1 || has_nan) continue;
      for (const [i, y] of dorefaWeights(floats(x), q_bits).entries()) {
        count.values++;
        count[Math.abs(y - Number(y_tf_literal[i])) <= 1e-6 ? "equal" : "different"]++;
      }
    }
    assert.deepEqual(count, { values: 1558, equal: 55, different: 1503 });
  });

  it("the original's gradient is dy; here it goes through tanh and the maximum", () => {
    let different = 0;
    for (const { x, dy, q_bits, has_nan } of v1.cases) {
      if (q_bits === 1 || has_nan) continue;
      const own = dorefaWeightsGradient(floats(dy), floats(x), q_bits);
      if (own.some((value, i) => Math.abs(value - Number(dy[i])) > 1e-3)) different++;
    }
    assert.equal(different, 68);
  });
});

describe("NNI v3's DoReFa", () => {
  const of = (op: CaseV3["op"], unsigned: boolean): CaseV3[] =>
    v3.cases.filter((one) => one.op === op && one.quant_dtype.startsWith("u") === unsigned);

  it("has 104 cases, and 1 whose result depends on the platform", () => {
    assert.deepEqual([v3.cases.length, v3.platformDependent.length], [104, 1]);
  });

  it("weights on unsigned grids of 2 bits and more are the paper's: equal but at near-ties", () => {
    const count = { values: 0, nearTies: 0 };
    for (const { name, quant_bits, x, y, has_nan } of of("weight", true)) {
      if (quant_bits === 1 || has_nan === true) continue;
      const one = compareWeights(floats(x), quant_bits, floats(y), name);
      count.values += one.values;
      count.nearTies += one.nearTies;
    }
    assert.deepEqual(count, { values: 733, nearTies: 0 });
  });

  it("weights' gradients, through tanh and the maximum, on any grid: within 2e-7 of their terms", () => {
    let values = 0;
    for (const { name, op, quant_bits, x, dy, dx, has_nan } of v3.cases) {
      if (op !== "weight" || quant_bits === 1 || has_nan === true) continue;
      const expected = floats(dx);
      // Two terms that may cancel out at the maximum, each up to largest |dy| / T times the number of elements.
      const scale = (largestOf(floats(dy)) * dy.length) / Math.tanh(largestOf(floats(x)));
      for (const [i, value] of dorefaWeightsGradient(floats(dy), floats(x), quant_bits).entries()) {
        values++;
        const error = Math.abs(value - expected[i]);
        assert.ok(error <= 2e-7 * scale, `${name}, element ${i}: ${value}, original ${expected[i]}`);
      }
    }
    assert.equal(values, 1418);
  });

  it("signed grids have 2^k − 2 steps, one less than the paper's", () => {
    const count = { weights: { values: 0, different: 0 }, outputs: { values: 0, different: 0 } };
    for (const { x, y, quant_bits } of of("weight", false)) {
      for (const [i, value] of dorefaWeights(floats(x), quant_bits).entries()) {
        count.weights.values++;
        if (Math.abs(value - Number(y[i])) > 1e-6) count.weights.different++;
      }
    }
    for (const { x, y, quant_bits } of of("output", false)) {
      for (const [i, value] of dorefaActivations(floats(x), quant_bits).entries()) {
        count.outputs.values++;
        if (Math.abs(value - Number(y[i])) > 1e-6) count.outputs.different++;
      }
    }
    assert.deepEqual(count, { weights: { values: 685, different: 614 }, outputs: { values: 136, different: 60 } });
  });

  it("outputs on unsigned grids, and gradients of all: the same bits", () => {
    let values = 0;
    for (const { name, op, quant_dtype, quant_bits, x, y, dy, dx } of v3.cases) {
      if (op !== "output") continue;
      if (quant_dtype.startsWith("u")) assert.deepEqual(dorefaActivations(floats(x), quant_bits), floats(y), name);
      const own = dorefaActivationsGradient(floats(dy), floats(x), quant_bits);
      assert.deepEqual(
        [...own],
        [...floats(dx)].map((value) => value + 0),
        name,
      );
      values += x.length;
    }
    assert.equal(values, 289);
  });

  it("1 bit weights: ±1 without E; only zeros: NaN. Here sign · E, and a code of the middle", () => {
    const one = of("weight", true).filter(({ quant_bits }) => quant_bits === 1);
    assert.equal(one.length, 1);
    assert.deepEqual([...new Set(floats(one[0].y))].sort(), [-1, 1]);
    const zeros = v3.cases.filter(({ op, has_nan }) => op === "weight" && has_nan === true);
    assert.equal(zeros.length, 2);
    for (const { x, quant_bits } of zeros) {
      assert.deepEqual([...new Set(dorefaWeights(floats(x), quant_bits))], [fl(1 / (2 ** quant_bits - 1))]);
    }
  });

  it("gradients: the original's grid is wider than [0, 1], and a sample of zeros gives NaN; here zeros", () => {
    const count = { values: 0, nan: 0, onOurGrid: 0 };
    for (const { name, op, quant_dtype, quant_bits, shape, dy, y, sigma } of v3.cases) {
      if (op !== "gradient") continue;
      const [batch] = shape as number[];
      const size = dy.length / batch;
      const dr = floats(dy);
      const own = dorefaGradients(dr, quant_bits, { batch, seed: 1, step: 0, tensor: 0 });
      for (const [i, value] of dr.entries()) {
        const sample = Math.floor(i / size);
        const m = largestOf(dr.subarray(sample * size, (sample + 1) * size));
        count.values++;
        if (m === 0) {
          assert.deepEqual([y[i], own[i]], ["NaN", 0], name);
          count.nan++;
          continue;
        }
        // Shows that nniGradient, the contrast of tests/wasm/dorefa-gradients.test.ts, is the original.
        const original = nniGradient(value, m, quant_bits, !quant_dtype.startsWith("u"), Number(sigma[sample]));
        assert.ok(
          Math.abs(original - Number(y[i])) <= 1e-5 * m,
          `${name}, element ${i}: ${original}, original ${y[i]}`,
        );
        const n = 2 ** quant_bits - 1;
        const code = (Number(y[i]) / m + 1) * (n / 2);
        if (Math.abs(code - Math.round(code)) < 1e-4) count.onOurGrid++;
        const ownCode = (own[i] / m + 1) * (n / 2);
        assert.ok(Math.abs(ownCode - Math.round(ownCode)) < 1e-4, `${name}, element ${i}: ${own[i]} is no code`);
      }
    }
    assert.deepEqual(count, { values: 484, nan: 17, onOurGrid: 60 });
  });
});
