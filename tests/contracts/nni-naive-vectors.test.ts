import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseQuantParams, minMax, quantize } from "../../src/index.js";
import { fl } from "../../src/reference/rounding.js";
import { floats, readVectors, type VectorCase, type VectorNumber } from "./vector-file.js";

// NNI's own NaiveQuantizer casts to int8, which cuts toward zero, and its scale is a running maximum over calls. Here codes
// are rounded to nearest, ties to even, under the scale of the current weights, as the papers say.

interface NaiveCase extends VectorCase {
  readonly calls: { x: VectorNumber[]; scale: VectorNumber; codes: number[]; y: VectorNumber[] }[];
}

const GRID = { bits: 8, narrowRange: true, symmetric: true };
const { cases, platformDependent } = readVectors<NaiveCase>("nni_naive");

/** The nearest integer, ties to even, in exact arithmetic on the float32 quotient. */
function nearest(quotient: number): number {
  const below = Math.floor(quotient);
  const rest = quotient - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

describe("NNI's naive quantizer", () => {
  it("has 106 cases, and 6 whose result depends on the platform", () => {
    assert.deepEqual([cases.length, platformDependent.length], [106, 6]);
  });

  it("under the original's scale, codes are the nearest ones; the original's are cut toward zero", () => {
    const count = { values: 0, equal: 0, higher: 0, lower: 0 };
    for (const { name, calls } of cases) {
      for (const call of calls) {
        const x = floats(call.x);
        const scale = fl(Number(call.scale));
        const q = quantize(x, { scale, zeroPoint: 0, qmin: -127, qmax: 127 });
        for (let i = 0; i < x.length; i++) {
          const what = `${name}, element ${i}`;
          const quotient = fl(x[i] / scale);
          assert.equal(q[i], nearest(quotient), what);
          assert.equal(call.codes[i], Math.trunc(quotient) + 0, `${what}, original`);
          // Never farther from x than the original.
          assert.ok(Math.abs(x[i] - q[i] * scale) <= Math.abs(x[i] - call.codes[i] * scale), what);
          count.values++;
          if (q[i] === call.codes[i]) count.equal++;
          else count[q[i] > call.codes[i] ? "higher" : "lower"]++;
        }
      }
    }
    assert.deepEqual(count, { values: 3135, equal: 1645, higher: 732, lower: 758 });
  });

  it("the scale is that of the current weights; the original's never shrinks", () => {
    const count = { calls: 0, equal: 0, smaller: 0 };
    for (const { name, calls } of cases) {
      for (const call of calls) {
        const { min, max } = minMax(floats(call.x));
        const { scale } = chooseQuantParams({ min: min[0], max: max[0] }, GRID);
        const original = fl(Number(call.scale));
        assert.ok((scale as number) <= original, name);
        count.calls++;
        count[scale === original ? "equal" : "smaller"]++;
      }
    }
    assert.deepEqual(count, { calls: 136, equal: 117, smaller: 19 });
  });

  it("all-zero weights get scale 1 and codes 0, subnormal ones the smallest normal scale; the original divides by 0", () => {
    for (const { name, calls } of platformDependent) {
      for (const call of calls) {
        const x = floats(call.x);
        const { min, max } = minMax(x);
        const params = chooseQuantParams({ min: min[0], max: max[0] }, GRID);
        assert.equal(params.scale, x.every((v) => v === 0) ? 1 : 2 ** -126, name);
        assert.deepEqual(
          quantize(x, params),
          Int8Array.from(x, (v) => nearest(v / (params.scale as number))),
          name,
        );
      }
    }
  });
});
