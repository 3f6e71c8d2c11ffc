import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  dorefaWeights,
  dorefaWeightsGradient,
  fakeQuantize,
  fakeQuantizeGradient,
  signActivations,
  signActivationsGradient,
} from "../../src/index.js";
import { floats, readVectors, type VectorCase, type VectorNumber } from "./vector-file.js";

// NNI's BNN quantizer: activations are the sign, as here. Its weights are the sign as well, where here they are DoReFa's, sign · E.
// The file of v3 also holds LSQ, whose values are those of fakeQuantize.

interface CaseV1 extends VectorCase {
  readonly x: VectorNumber[];
  readonly y: VectorNumber[];
  readonly dy: VectorNumber[];
  readonly dx_output: VectorNumber[];
  readonly dx_weight: VectorNumber[];
}

interface CaseV3 extends VectorCase {
  readonly op: "bnn" | "lsq";
  readonly target?: "weight" | "_output_";
  readonly qmin: number;
  readonly qmax: number;
  readonly scale: number;
  readonly x: VectorNumber[];
  readonly y: VectorNumber[];
  readonly dy: VectorNumber[];
  readonly dx: VectorNumber[];
}

const v1 = readVectors<CaseV1>("nni_bnn_v1_4").cases;
const v3 = readVectors<CaseV3>("nni_lsq_bnn_v3").cases;

/** Values with −0 as 0: the originals multiply by a mask. */
const plain = (values: Float32Array): number[] => Array.from(values, (value) => value + 0);

describe("NNI's BNN", () => {
  it("has 26 cases in v1.4, 8 in v3", () => {
    assert.deepEqual([v1.length, v3.filter(({ op }) => op === "bnn").length], [26, 8]);
  });

  it("activations and their gradient: the same bits, signs of zeros in the gradient aside", () => {
    const outputs = v3.filter(({ target }) => target === "_output_").map((one) => ({ ...one, dx_output: one.dx }));
    let values = 0;
    for (const { name, x, y, dy, dx_output } of [...v1, ...outputs]) {
      assert.deepEqual(signActivations(floats(x)), floats(y), name);
      assert.deepEqual(plain(signActivationsGradient(floats(dy), floats(x))), plain(floats(dx_output)), name);
      values += x.length;
    }
    assert.equal(values, 601);
  });

  it("weights: the original gives ±1, here ±E, the mean magnitude; the gradient is dy in both", () => {
    const weights = v3.filter(({ target }) => target === "weight").map((one) => ({ ...one, dx_weight: one.dx }));
    const count = { values: 0, sameSign: 0, sameValue: 0 };
    for (const { name, x, y, dy, dx_weight } of [...v1, ...weights]) {
      const own = dorefaWeights(floats(x), 1);
      for (const [i, value] of own.entries()) {
        count.values++;
        if (Math.sign(value) === Number(y[i])) count.sameSign++;
        if (value === Number(y[i])) count.sameValue++;
      }
      assert.deepEqual(dorefaWeightsGradient(floats(dy), floats(x), 1), floats(dx_weight), name);
    }
    assert.deepEqual(count, { values: 601, sameSign: 601, sameValue: 0 });
  });
});

describe("NNI's LSQ", () => {
  it("values on a given grid are those of fakeQuantize", () => {
    let values = 0;
    for (const { op, name, x, y, scale, qmin, qmax } of v3) {
      if (op !== "lsq") continue;
      const params = { scale, zeroPoint: 0, qmin, qmax };
      assert.deepEqual(plain(fakeQuantize(floats(x), params)), plain(floats(y)), name);
      values += x.length;
    }
    assert.equal(values, 420);
  });

  it("the original's gradient ends at the grid's ends, here half a step beyond, where codes are still the ends'", () => {
    const count = { values: 0, different: 0 };
    for (const { op, name, x, dy, dx, scale, qmin, qmax } of v3) {
      if (op !== "lsq") continue;
      const [arriving, original] = [floats(dy), floats(dx)];
      const own = fakeQuantizeGradient(arriving, floats(x), { scale, zeroPoint: 0, qmin, qmax });
      for (const [i, value] of own.entries()) {
        count.values++;
        if (value === original[i]) continue;
        count.different++;
        const code = Number(x[i]) / scale;
        const beyond = code > qmax ? code - qmax : qmin - code;
        assert.ok(value === arriving[i] && beyond > 0 && beyond <= 0.5, `${name}, element ${i}: code ${code}`);
      }
    }
    assert.deepEqual(count, { values: 420, different: 40 });
  });
});
