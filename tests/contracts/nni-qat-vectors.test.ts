import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseQuantParams,
  fakeQuantize,
  fakeQuantizeGradient,
  minMax,
  movingAverageObserver,
  QATQuantizer,
  type QuantParams,
  quantize,
} from "../../src/index.js";
import { fl, roundTiesToEven } from "../../src/reference/rounding.js";
import { floats, readVectors, ulpsApart, type VectorCase, type VectorNumber } from "./vector-file.js";

// The arithmetic of NNI's QAT quantizers, v1.1 to v3.0. Where it is the papers' the numbers are equal; every way in which it is
// not has a name here, is recognised by its cause, and is counted. The originals' formulas stand beside, and give the vectors
// exactly, so that each difference is known to be theirs.

interface Grid {
  readonly qmin: number;
  readonly qmax: number;
}

/** The originals add the zero point to the quotient in float32 and round the sum: its parity decides ties. */
const originalCode = (x: number, scale: number, zeroPoint: number): number => fl(zeroPoint + fl(x / scale));

const clamp = (q: number, { qmin, qmax }: Grid): number => Math.max(qmin, Math.min(qmax, q));

/** Fails unless both are the same number (zeros of either sign are). */
function assertSame(actual: number, expected: number, what: string): void {
  assert.ok(actual === expected, `${what}: ${actual}, NNI ${expected}`);
}

/** Fails unless a code that differs is 1 apart, and x within the rounding of the original's sum of a tie. */
function assertNearTie(x: number, scale: number, zeroPoint: number, codes: readonly [number, number], what: string) {
  const quotient = fl(x / scale);
  const fromTie = Math.abs(quotient - Math.floor(quotient) - 0.5);
  assert.equal(Math.abs(codes[0] - codes[1]), 1, what);
  assert.ok(fromTie <= 2 ** -23 * (Math.abs(zeroPoint) + Math.abs(quotient)), `${what}: ${quotient}`);
}

/** A grid of NNI in words; its signed grids are narrow. */
function gridOptions({ qmin, qmax }: Grid, symmetric: boolean) {
  const signed = qmin < 0;
  return { bits: Math.log2(qmax + 1) + (signed ? 1 : 0), signed, narrowRange: signed, symmetric };
}

/** Parameters as the library takes them: per tensor, or per channel along an axis. */
function paramsOf(scale: Float32Array, zeroPoint: number[], { qmin, qmax }: Grid, axis?: number): QuantParams {
  if (axis === undefined) return { scale: scale[0], zeroPoint: zeroPoint[0], qmin, qmax };
  return { scale, zeroPoint: Int32Array.from(zeroPoint), qmin, qmax, axis };
}

/** The channel of element i. */
function channelOf(i: number, shape: readonly number[], axis?: number): number {
  if (axis === undefined) return 0;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return Math.floor(i / inner) % shape[axis];
}

describe("NNI v1.1: weights between their minimum and maximum", () => {
  interface Case extends VectorCase {
    readonly q_bits: number;
    readonly x: VectorNumber[];
    readonly y_torch: VectorNumber[];
    readonly y_tf_literal: VectorNumber[];
    readonly dy: VectorNumber[];
    readonly dx_tf: VectorNumber[];
    readonly has_nan: boolean;
    readonly has_nan_tf: boolean;
  }
  const { cases, platformDependent } = readVectors<Case>("nni_qat_v1_1");

  /** round((x − a) / s) · s + a in float32: the smallest weight is the zero point. */
  const original = (x: number, a: number, s: number): number => fl(fl(roundTiesToEven(fl(fl(x - a) / s)) * s) + a);
  const rangeOf = (x: Float32Array): [number, number] => {
    const { min, max } = minMax(x);
    return [min[0], max[0]];
  };

  it("has 60 cases, and 2 whose result depends on the platform", () => {
    assert.deepEqual([cases.length, platformDependent.length], [60, 2]);
  });

  it("real zero points (torch): 0 is off the original's grid; here it is on it, and no range divides by 0", () => {
    const count = { equal: 0, realZeroPoint: 0, zeroOffGrid: 0, oneBitUntouched: 0, constantDividesByZero: 0 };
    for (const one of cases) {
      const x = floats(one.x);
      const y = floats(one.y_torch);
      const [a, b] = rangeOf(x);
      const params = chooseQuantParams({ min: a, max: b }, { bits: one.q_bits, signed: false });
      const ours = fakeQuantize(x, params);
      assert.equal(fakeQuantize(Float32Array.of(0), params)[0], 0, one.name);
      if (one.has_nan) {
        assert.equal(a, b, one.name);
        assert.ok(ours.every(Number.isFinite), one.name);
        count.constantDividesByZero++;
        continue;
      }
      if (one.q_bits === 1) {
        assert.deepEqual(y, x, one.name);
        count.oneBitUntouched++;
        continue;
      }
      const s = fl(fl(b - a) / (2 ** one.q_bits - 1));
      if (original(0, a, s) !== 0) count.zeroOffGrid++;
      for (let i = 0; i < x.length; i++) {
        const what = `${one.name}, element ${i}`;
        assertSame(original(x[i], a, s), y[i], what);
        count[ours[i] === y[i] ? "equal" : "realZeroPoint"]++;
        // A range that holds 0 gives the same steps, on a grid moved by less than one of them.
        if (a <= 0 && b >= 0) assert.ok(Math.abs(ours[i] - y[i]) <= 1.5 * s, what);
      }
    }
    assert.deepEqual(count, {
      equal: 12,
      realZeroPoint: 1100,
      zeroOffGrid: 53,
      oneBitUntouched: 3,
      constantDividesByZero: 4,
    });
  });

  it("missing parentheses (tensorflow): b − a/n steps instead of (b − a)/n", () => {
    const count = { equal: 0, wrongStep: 0, dividesByZero: 0 };
    for (const one of cases) {
      const x = floats(one.x);
      const y = floats(one.y_tf_literal);
      const [a, b] = rangeOf(x);
      const ours = fakeQuantize(x, chooseQuantParams({ min: a, max: b }, { bits: one.q_bits, signed: false }));
      if (one.has_nan_tf) {
        count.dividesByZero++;
        continue;
      }
      const s = fl(b - fl(a / (2 ** one.q_bits - 1)));
      for (let i = 0; i < x.length; i++) {
        assertSame(original(x[i], a, s), y[i], `${one.name}, element ${i}`);
        count[ours[i] === y[i] ? "equal" : "wrongStep"]++;
      }
    }
    assert.deepEqual(count, { equal: 32, wrongStep: 1137, dividesByZero: 2 });
  });

  it("gradients pass straight through, as in the original, but for its multiplication and division by the step", () => {
    let exact = 0;
    let values = 0;
    for (const one of cases) {
      const x = floats(one.x);
      const dy = floats(one.dy);
      const [a, b] = rangeOf(x);
      const dx = fakeQuantizeGradient(
        dy,
        x,
        chooseQuantParams({ min: a, max: b }, { bits: one.q_bits, signed: false }),
      );
      assert.deepEqual(dx, dy, one.name);
      if (one.has_nan_tf) continue;
      const original = floats(one.dx_tf);
      for (let i = 0; i < dy.length; i++) {
        assert.ok(Math.abs(original[i] - dy[i]) <= 1e-6 * Math.abs(dy[i]), `${one.name}, element ${i}`);
        values++;
        if (original[i] === dy[i]) exact++;
      }
    }
    assert.deepEqual([exact, values], [1052, 1169]);
  });
});

describe("NNI v1.2 to v1.9: affine unsigned grids", () => {
  interface ParamsCase extends VectorCase {
    readonly op: "update_quantization_param";
    readonly bits: number;
    readonly rmin: VectorNumber;
    readonly rmax: VectorNumber;
    readonly scale: number;
    readonly zero_point: number;
  }
  interface AverageCase extends VectorCase {
    readonly op: "update_ema";
    readonly decay: number;
    readonly trace: { step: number; value: number; biased: number; unbiased: number }[];
  }
  interface WeightCase extends VectorCase {
    readonly op: "quantize_weight";
    readonly bits: number;
    readonly x: VectorNumber[];
    readonly y: VectorNumber[];
    readonly has_nan: boolean;
    readonly scale?: number;
    readonly zero_point?: number;
    readonly tie?: boolean;
  }
  interface OutputCase extends VectorCase {
    readonly op: "quantize_output";
    readonly bits: number;
    readonly quant_start_step: number;
    readonly decay: number;
    readonly trace: { steps: number; x: number[]; y: VectorNumber[]; tracked_min?: number; tracked_max?: number }[];
  }
  type Case = ParamsCase | AverageCase | WeightCase | OutputCase;
  const { cases, platformDependent } = readVectors<Case>("nni_qat_v1_2");
  const only = <Op extends Case["op"]>(op: Op) => cases.filter((one) => one.op === op) as Extract<Case, { op: Op }>[];

  it("has 194 cases, and 2 whose result depends on the platform", () => {
    assert.deepEqual([cases.length, platformDependent.length], [194, 2]);
  });

  it("zero points equal; scales within the float32 rounding of the original", () => {
    const count = { equal: 0, lastBit: 0 };
    for (const one of only("update_quantization_param")) {
      const range = { min: fl(Number(one.rmin)), max: fl(Number(one.rmax)) };
      const { scale, zeroPoint } = chooseQuantParams(range, { bits: one.bits, signed: false });
      const apart = ulpsApart(scale as number, fl(one.scale));
      assert.ok(apart <= 1, one.name);
      assert.equal(zeroPoint, one.zero_point, one.name);
      count[apart === 0 ? "equal" : "lastBit"]++;
    }
    assert.deepEqual(count, { equal: 49, lastBit: 11 });
  });

  it("weights: codes equal but where the original rounds behind the zero point; all zeros are no NaN", () => {
    const count = { equal: 0, zeroPointBeforeRounding: 0, onTies: 0, allZeroDividesByZero: 0, warmUp: 0, lastBit: 0 };
    for (const one of only("quantize_weight")) {
      const x = floats(one.x);
      const y = floats(one.y);
      const { min, max } = minMax(x);
      const range = chooseQuantParams({ min: min[0], max: max[0] }, { bits: one.bits, signed: false });
      if (one.has_nan) {
        assert.deepEqual([range.scale, range.zeroPoint], [1, 0], one.name);
        count.allZeroDividesByZero++;
        continue;
      }
      if (one.scale === undefined || one.zero_point === undefined) {
        assert.deepEqual(y, x, one.name);
        count.warmUp++;
        continue;
      }
      const [scale, zeroPoint] = [fl(one.scale), one.zero_point];
      assert.equal(range.zeroPoint, zeroPoint, one.name);
      assert.ok(ulpsApart(range.scale as number, scale) <= 1, one.name);
      if (range.scale !== scale) count.lastBit++;
      const grid = { qmin: 0, qmax: 2 ** one.bits - 1 };
      const q = quantize(x, { scale, zeroPoint, ...grid });
      for (let i = 0; i < x.length; i++) {
        const what = `${one.name}, element ${i}`;
        const code = roundTiesToEven(clamp(originalCode(x[i], scale, zeroPoint), grid));
        assertSame(fl(scale * (code - zeroPoint)), y[i], what);
        if (q[i] === code) {
          count.equal++;
          continue;
        }
        assertNearTie(x[i], scale, zeroPoint, [q[i], code], what);
        count.zeroPointBeforeRounding++;
        if (one.tie) count.onTies++;
      }
    }
    assert.deepEqual(count, {
      equal: 2764,
      zeroPointBeforeRounding: 55,
      onTies: 55,
      allZeroDividesByZero: 2,
      warmUp: 1,
      lastBit: 16,
    });
  });

  it("moving averages: equal on the first batch; later the original is that of a range that began at 0, corrected", () => {
    const count = { first: 0, corrected: 0 };
    for (const { name, decay, trace } of only("update_ema")) {
      const observer = movingAverageObserver({ decay });
      const d = fl(decay);
      let biased = 0;
      for (const { step, value, biased: theirs, unbiased } of trace) {
        const what = `${name}, step ${step}`;
        biased = fl(fl(biased * d) + fl(fl(1 - d) * fl(value)));
        assertSame(biased, fl(theirs), what);
        // 1 − decay^step cancels: a last bit of the power is up to 32 of the quotient.
        assert.ok(ulpsApart(fl(biased / fl(1 - fl(d ** step))), fl(unbiased)) <= 32, what);
        observer.observe(Float32Array.of(fl(value)));
        const [average] = observer.toJSON().min;
        if (step === 1) {
          assert.ok(ulpsApart(average, fl(unbiased)) <= 1, what);
          count.first++;
        } else {
          assert.notEqual(average, fl(unbiased), what);
          count.corrected++;
        }
      }
    }
    assert.deepEqual(count, { first: 10, corrected: 50 });
  });

  it("outputs: untouched in warm-up and equal on the first batch; later the ranges differ", () => {
    // The original counts steps from 1, and does not track ranges in warm-up: there its first range is corrected by a step
    // at which the average has seen nothing.
    const count = { warmUp: 0, firstRange: 0, correctedRange: 0 };
    for (const one of only("quantize_output")) {
      const start = Math.max(0, one.quant_start_step - 1);
      const training = new QATQuantizer(
        [
          {
            op_names: ["fc"],
            quant_types: ["output"],
            quant_bits: one.bits,
            quant_dtype: "uint",
            quant_start_step: start,
          },
        ],
        { decay: one.decay },
      ).compress({ "fc.weight": { data: Float32Array.of(1), shape: [1, 1] } });
      for (const { steps, x, y, tracked_min, tracked_max } of one.trace) {
        const what = `${one.name}, step ${steps}`;
        const ours = training.layers.fc.output(floats(x));
        training.step();
        const range = training.toJSON().ranges.fc.output;
        if (steps < one.quant_start_step) {
          assert.deepEqual(ours, floats(x), what);
          assert.deepEqual(floats(y), floats(x), what);
          count.warmUp++;
        } else if (steps === 1) {
          // Theirs is divided by 1 − decay in float32, so a scale may be off by a last bit.
          floats(y).forEach((value, i) => {
            assert.ok(Math.abs(ours[i] - value) <= 2 ** -22 * Math.abs(value), `${what}, element ${i}`);
          });
          count.firstRange++;
        } else {
          assert.notDeepEqual(
            [range?.min[0], range?.max[0]],
            [fl(tracked_min as number), fl(tracked_max as number)],
            what,
          );
          count.correctedRange++;
        }
      }
    }
    assert.deepEqual(count, { warmUp: 10, firstRange: 7, correctedRange: 43 });
  });
});

describe("NNI v2.10: signed and unsigned, symmetric and affine, per tensor and per channel", () => {
  interface Case extends VectorCase, Grid {
    readonly quant_scheme: string;
    readonly quant_type: "weight" | "input" | "output";
    readonly shape: number[];
    readonly x: VectorNumber[];
    readonly min: VectorNumber[];
    readonly max: VectorNumber[];
    readonly scale: VectorNumber[];
    readonly zero_point: number[];
    readonly y: VectorNumber[];
    readonly dy: VectorNumber[];
    readonly dx: VectorNumber[];
    readonly q: number[];
    readonly has_nan: boolean;
    readonly range_given?: boolean;
  }
  const { cases, platformDependent } = readVectors<Case>("nni_qat_v2_quant");
  const symmetricOf = ({ quant_scheme }: Case): boolean => quant_scheme.endsWith("symmetric");
  const axisOf = ({ quant_scheme, quant_type }: Case): number | undefined =>
    quant_scheme.startsWith("per_channel") ? (quant_type === "weight" ? 0 : 1) : undefined;

  it("has 221 cases, and 12 whose result depends on the platform", () => {
    assert.deepEqual([cases.length, platformDependent.length], [221, 12]);
  });

  it("ranges equal; parameters equal but for unsigned symmetric grids and ranges of zeros", () => {
    const count = { equal: 0, lastBit: 0, unsignedSymmetric: 0, allZero: 0 };
    for (const one of cases) {
      const axis = axisOf(one);
      const [min, max, scale] = [floats(one.min), floats(one.max), floats(one.scale)];
      if (!one.range_given) {
        const range = minMax(floats(one.x), axis === undefined ? {} : { shape: one.shape, axis });
        // Adding 0 makes −0 a plain 0.
        assert.deepEqual([range.min, range.max], [min.map((v) => v + 0), max.map((v) => v + 0)], one.name);
      }
      const options = gridOptions(one, symmetricOf(one));
      const ours = chooseQuantParams({ min, max }, options);
      for (let c = 0; c < min.length; c++) {
        const what = `${one.name}, channel ${c}`;
        const [s, z] = [(ours.scale as Float32Array)[c], (ours.zeroPoint as Int32Array)[c]];
        if (min[c] >= 0 && max[c] <= 0) {
          assert.deepEqual([s, scale[c]], [1, 0], what);
          count.allZero++;
        } else if (options.symmetric && !options.signed) {
          // Their zero point is (qmin + qmax) / 2 rounded down, their extent 127.5 steps on either side.
          assert.deepEqual([z, one.zero_point[c]], [2 ** (options.bits - 1), 2 ** (options.bits - 1) - 1], what);
          const extent = Math.max(-min[c], max[c]);
          assert.ok(ulpsApart(scale[c], fl(extent / (one.qmax / 2))) <= 1, what);
          assert.equal(s, fl(extent / 2 ** (options.bits - 1)), what);
          count.unsignedSymmetric++;
        } else {
          assert.equal(z, one.zero_point[c], what);
          assert.ok(ulpsApart(s, scale[c]) <= 1, what);
          count[s === scale[c] ? "equal" : "lastBit"]++;
        }
      }
    }
    assert.deepEqual(count, { equal: 223, lastBit: 41, unsignedSymmetric: 93, allZero: 8 });
  });

  it("codes and gradients equal but where the original rounds behind the zero point", () => {
    const count = { equal: 0, zeroPointBeforeRounding: 0, gradientAtTheEnds: 0 };
    for (const one of cases.filter(({ has_nan }) => !has_nan)) {
      const axis = axisOf(one);
      const [x, y, dy, dx, scale] = [one.x, one.y, one.dy, one.dx, one.scale].map(floats);
      const params = paramsOf(scale, one.zero_point, one, axis);
      const options = { shape: one.shape };
      const q = quantize(x, params, options);
      const ours = fakeQuantize(x, params, options);
      const gradient = fakeQuantizeGradient(dy, x, params, options);
      for (let i = 0; i < x.length; i++) {
        const what = `${one.name}, element ${i}`;
        const c = channelOf(i, one.shape, axis);
        const [s, z] = [scale[c], one.zero_point[c]];
        const code = roundTiesToEven(originalCode(x[i], s, z));
        assert.equal(clamp(code, one), one.q[i], what);
        const inside = code >= one.qmin && code <= one.qmax;
        assertSame(inside ? dy[i] : 0, dx[i], what);
        if (gradient[i] !== dx[i]) {
          assertNearTie(x[i], s, z, [roundTiesToEven(fl(x[i] / s)) + z, code], what);
          count.gradientAtTheEnds++;
        }
        if (q[i] !== one.q[i]) {
          assertNearTie(x[i], s, z, [q[i], one.q[i]], what);
          count.zeroPointBeforeRounding++;
        } else {
          assertSame(ours[i], y[i], what);
          count.equal++;
        }
      }
    }
    assert.deepEqual(count, { equal: 4331, zeroPointBeforeRounding: 121, gradientAtTheEnds: 49 });
  });
});

describe("NNI v3.0: tracked ranges, parameters and gradients", () => {
  interface Case extends VectorCase, Grid {
    readonly quant_scheme: "affine" | "symmetric" | null;
    readonly granularity: "default" | "out_channel" | "in_channel" | "per_channel" | unknown[];
    readonly target: "weight" | "_input_0" | "_output_0";
    readonly shape: number[];
    readonly calls: Record<"x" | "y" | "dy" | "dx" | "tracked_min" | "tracked_max" | "scale", VectorNumber[]>[];
  }
  const { cases: all, platformDependent } = readVectors<Case>("nni_qat_v3_quant");
  const cases = all.filter(({ granularity }) => typeof granularity === "string");
  const axisOf = ({ granularity }: Case): number | undefined =>
    granularity === "default" ? undefined : granularity === "out_channel" ? 0 : 1;
  // eps of float32
  const SMALLEST_SCALE = 2 ** -23;

  it("has 184 cases, 7 with scales per block, which are not offered here, and 4 that depend on the platform", () => {
    assert.deepEqual([cases.length, all.length - cases.length, platformDependent.length], [184, 7, 4]);
  });

  it("ranges of activations follow the same average; those of weights are the current weights', not an average", () => {
    const count = { first: 0, average: 0, averagedWeights: 0 };
    for (const one of cases) {
      const axis = axisOf(one);
      const observer = movingAverageObserver();
      one.calls.forEach((call, step) => {
        const x = floats(call.x);
        const options = axis === undefined ? {} : { shape: one.shape, axis };
        observer.observe(x, options);
        const range = minMax(x, options);
        const { min, max } = observer.toJSON();
        const [theirMin, theirMax] = [floats(call.tracked_min), floats(call.tracked_max)];
        for (let c = 0; c < min.length; c++) {
          const what = `${one.name}, call ${step}, channel ${c}`;
          // Theirs is computed in float32.
          assert.ok(ulpsApart(min[c], theirMin[c]) <= 2 && ulpsApart(max[c], theirMax[c]) <= 2, what);
          if (step === 0) count.first++;
          else if (one.target !== "weight") count.average++;
          else {
            assert.notEqual(range.min[c], theirMin[c], what);
            count.averagedWeights++;
          }
        }
      });
    }
    assert.deepEqual(count, { first: 218, average: 34, averagedWeights: 6 });
  });

  it("parameters equal but for unsigned symmetric grids, and scales below 2^−23, which the original raises", () => {
    const count = { equal: 0, lastBit: 0, unsignedSymmetric: 0, raised: 0 };
    for (const one of cases) {
      const options = gridOptions(one, one.quant_scheme !== "affine");
      for (const call of one.calls) {
        const [min, max, scale] = [call.tracked_min, call.tracked_max, call.scale].map(floats);
        const ours = chooseQuantParams({ min, max }, options);
        for (let c = 0; c < min.length; c++) {
          const s = (ours.scale as Float32Array)[c];
          if (scale[c] === SMALLEST_SCALE) {
            assert.ok(s < SMALLEST_SCALE || s === 1, one.name);
            count.raised++;
          } else if (options.symmetric && !options.signed) {
            const extent = Math.max(-min[c], max[c]);
            assert.ok(ulpsApart(scale[c], fl(extent / (one.qmax / 2))) <= 1, one.name);
            assert.equal(s, fl(extent / 2 ** (options.bits - 1)), one.name);
            count.unsignedSymmetric++;
          } else {
            assert.ok(ulpsApart(s, scale[c]) <= 1, one.name);
            count[s === scale[c] ? "equal" : "lastBit"]++;
          }
        }
      }
    }
    assert.deepEqual(count, { equal: 150, lastBit: 19, unsignedSymmetric: 73, raised: 16 });
  });

  it("values equal; gradients equal but where the original cuts by the code before rounding", () => {
    const count = { values: 0, gradients: 0, cutBeforeRounding: 0 };
    for (const one of cases) {
      const axis = axisOf(one);
      for (const call of one.calls as (Case["calls"][number] & { zero_point: number[] })[]) {
        const [x, y, dy, dx, scale] = [call.x, call.y, call.dy, call.dx, call.scale].map(floats);
        const params = paramsOf(scale, call.zero_point, one, axis);
        const options = { shape: one.shape };
        const ours = fakeQuantize(x, params, options);
        const gradient = fakeQuantizeGradient(dy, x, params, options);
        for (let i = 0; i < x.length; i++) {
          const what = `${one.name}, element ${i}`;
          const c = channelOf(i, one.shape, axis);
          assertSame(ours[i], y[i], what);
          count.values++;
          if (gradient[i] === dx[i]) {
            count.gradients++;
            continue;
          }
          // The ends of a range lie up to half a step outside of the grid; here they keep their gradient.
          assert.deepEqual([gradient[i], dx[i]], [dy[i], 0], what);
          const unrounded = originalCode(x[i], scale[c], call.zero_point[c]);
          assert.ok(unrounded < one.qmin || unrounded > one.qmax, what);
          const code = roundTiesToEven(fl(x[i] / scale[c])) + call.zero_point[c];
          assert.equal(clamp(code, one), code, what);
          count.cutBeforeRounding++;
        }
      }
    }
    assert.deepEqual(count, { values: 4585, gradients: 4452, cutBeforeRounding: 133 });
  });
});
