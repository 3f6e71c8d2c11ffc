import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseQuantParams,
  dequantize,
  fakeQuantize,
  fakeQuantizeGradient,
  foldBatchNorm,
  histogramObserver,
  minMaxObserver,
  movingAverageObserver,
  packBits,
  type QuantParams,
  quantize,
  unpackBits,
} from "../../src/index.js";
import { fl } from "../../src/reference/rounding.js";
import { floats, nearTie, readVectors, ulpsApart, type VectorCase, type VectorNumber } from "./vector-file.js";

// PyTorch's numbers. Equal everywhere but at near-ties, where PyTorch multiplies by fl(1/scale) instead of dividing, and
// in the observer conventions that differ on purpose. Each exception is recognised by its cause and counted.

interface ParamsCase extends VectorCase {
  readonly shape: number[];
  readonly axis?: number;
  readonly scale: number | number[];
  readonly zero_point: number | number[];
  readonly x: VectorNumber[];
}

interface FakeQuantizeCase extends ParamsCase {
  readonly qmin: number;
  readonly qmax: number;
  readonly y: VectorNumber[];
  readonly dy: VectorNumber[];
  readonly dx: VectorNumber[];
}

interface QuantizeCase extends ParamsCase {
  readonly dtype: "qint8" | "quint8" | "qint32";
  readonly q: number[];
  readonly dq: VectorNumber[];
}

/** A case's parameters as the library takes them. */
function paramsOf({ scale, zero_point, axis }: ParamsCase, qmin: number, qmax: number): QuantParams {
  const grid = { qmin, qmax };
  if (typeof scale === "number" && typeof zero_point === "number") return { scale, zeroPoint: zero_point, ...grid };
  return {
    scale: Float32Array.from(scale as number[]),
    zeroPoint: Int32Array.from(zero_point as number[]),
    axis: axis as number,
    ...grid,
  };
}

/** The scale of element i. */
function scaleAt({ scale, shape, axis }: ParamsCase, i: number): number {
  if (typeof scale === "number") return scale;
  const inner = shape.slice((axis as number) + 1).reduce((a, b) => a * b, 1);
  return scale[Math.floor(i / inner) % scale.length];
}

/** Fails unless both are the same number (zeros of either sign are). */
function assertEqual(actual: number, expected: number, what: string): void {
  assert.ok(
    actual === expected || (Number.isNaN(actual) && Number.isNaN(expected)),
    `${what}: ${actual}, torch ${expected}`,
  );
}

/** Runs fake-quantize vectors; returns how many values of y and of dx differ, each at a near-tie. */
function fakeQuantizeDifferences(cases: FakeQuantizeCase[]): { values: number; y: number; dx: number } {
  const count = { values: 0, y: 0, dx: 0 };
  for (const one of cases) {
    const params = paramsOf(one, one.qmin, one.qmax);
    const options = { shape: one.shape };
    const x = floats(one.x);
    const [y, dx] = [floats(one.y), floats(one.dx)];
    const actualY = fakeQuantize(x, params, options);
    const actualDx = fakeQuantizeGradient(floats(one.dy), x, params, options);
    count.values += x.length;
    for (let i = 0; i < x.length; i++) {
      const scale = fl(scaleAt(one, i));
      const what = `${one.name}, element ${i}`;
      if (nearTie(x[i], scale) === 0) {
        assertEqual(actualY[i], y[i], `${what}, y`);
        assertEqual(actualDx[i], dx[i], `${what}, dx`);
        continue;
      }
      assert.equal(nearTie(x[i], scale), 1, what);
      if (actualY[i] !== y[i]) {
        count.y++;
        // One code apart: the codes are what both values are multiples of.
        assert.equal(Math.abs(Math.round(actualY[i] / scale) - Math.round(y[i] / scale)), 1, `${what}, y`);
      }
      if (actualDx[i] !== dx[i]) count.dx++;
    }
  }
  return count;
}

/** Runs quantize vectors; returns how many codes differ, each by 1 and at a near-tie. */
function quantizeDifferences(cases: QuantizeCase[]): { values: number; q: number } {
  const count = { values: 0, q: 0 };
  for (const one of cases) {
    const [qmin, qmax] = one.dtype === "qint8" ? [-128, 127] : [0, 255];
    const params = paramsOf(one, qmin, qmax);
    const options = { shape: one.shape };
    const x = floats(one.x);
    const q = quantize(x, params, options);
    count.values += x.length;
    for (let i = 0; i < x.length; i++) {
      const what = `${one.name}, element ${i}`;
      if (q[i] === one.q[i]) continue;
      count.q++;
      assert.deepEqual([nearTie(x[i], scaleAt(one, i)), Math.abs(q[i] - one.q[i])], [1, 1], what);
    }
    const codes = one.dtype === "qint8" ? Int8Array.from(one.q) : Uint8Array.from(one.q);
    const dq = dequantize(codes, params, options);
    for (let i = 0; i < x.length; i++) assertEqual(dq[i], fl(Number(one.dq[i])), `${one.name}, dequantized ${i}`);
  }
  return count;
}

describe("torch vectors", () => {
  it("fake_quantize_per_tensor_affine, forward and backward", () => {
    const { cases, platformDependent } = readVectors<FakeQuantizeCase>("torch_fake_quant_tensor");
    assert.deepEqual([cases.length, platformDependent.length], [292, 2]);
    assert.deepEqual(fakeQuantizeDifferences(cases), { values: 6696, y: 276, dx: 2 });
  });

  it("fake_quantize_per_channel_affine, forward and backward: no near-tie, all equal", () => {
    const { cases, platformDependent } = readVectors<FakeQuantizeCase>("torch_fake_quant_channel");
    assert.deepEqual([cases.length, platformDependent.length], [56, 0]);
    assert.deepEqual(fakeQuantizeDifferences(cases), { values: 1758, y: 0, dx: 0 });
  });

  it("quantize_per_tensor and dequantize", () => {
    const { cases, platformDependent } = readVectors<QuantizeCase>("torch_quantize_tensor");
    // 32-bit codes are no grid of this library, whose codes have at most 16 bits.
    const held = cases.filter(({ dtype }) => dtype !== "qint32");
    assert.deepEqual([held.length, cases.length - held.length, platformDependent.length], [182, 6, 2]);
    assert.deepEqual(quantizeDifferences(held), { values: 4388, q: 19 });
  });

  it("quantize_per_channel and dequantize: no near-tie, all equal", () => {
    const { cases, platformDependent } = readVectors<QuantizeCase>("torch_quantize_channel");
    assert.deepEqual([cases.length, platformDependent.length], [19, 0]);
    assert.deepEqual(quantizeDifferences(cases), { values: 526, q: 0 });
  });

  it("storage bytes of quint4x2 and quint2x4", () => {
    interface PackCase extends ParamsCase {
      readonly bits: 2 | 4;
      readonly n: number;
      readonly bytes: number[];
    }
    const { cases } = readVectors<PackCase>("torch_pack_subbyte");
    assert.equal(cases.length, 78);
    for (const one of cases) {
      const codes = quantize(floats(one.x), paramsOf(one, 0, 2 ** one.bits - 1)) as Uint8Array;
      const bytes = Uint8Array.from(one.bytes);
      assert.deepEqual(packBits(codes, one.bits), bytes, one.name);
      assert.deepEqual(unpackBits(bytes, one.bits, { length: one.n, signed: false }), codes, one.name);
    }
  });
});

interface ObserverCase extends VectorCase {
  readonly observer: string;
  readonly args: { readonly qscheme: string; readonly averaging_constant?: number; readonly ch_axis?: number };
  readonly qmin: number;
  readonly qmax: number;
  readonly batches: { shape: number[]; x: VectorNumber[] }[];
  readonly trace: Record<"min" | "max" | "scale" | "zero_point", VectorNumber[]>[];
}

describe("torch observers", () => {
  const { cases, platformDependent } = readVectors<ObserverCase>("torch_observers");

  it("has 247 cases of four observers", () => {
    assert.deepEqual([cases.length, platformDependent.length], [247, 0]);
    assert.equal(new Set(cases.map(({ observer }) => observer)).size, 4);
  });

  it("running ranges are equal; moving averages but for torch's float32 arithmetic", () => {
    const count = { minMax: 0, movingAverage: 0, movingAverageApart: 0 };
    for (const { name, observer, args, batches, trace } of cases) {
      const moving = observer.startsWith("MovingAverage");
      const own = moving ? movingAverageObserver({ decay: 1 - (args.averaging_constant ?? 0.01) }) : minMaxObserver();
      let largest = 0;
      for (const [t, { shape, x }] of batches.entries()) {
        const values = floats(x);
        own.observe(values, observer.includes("PerChannel") ? { shape, axis: args.ch_axis ?? 0 } : {});
        largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), largest);
        const { min, max } = own.toJSON();
        for (const [end, expected] of [
          [min, floats(trace[t].min)],
          [max, floats(trace[t].max)],
        ] as const) {
          for (const [c, value] of end.entries()) {
            const what = `${name}, batch ${t}, channel ${c}`;
            count[moving ? "movingAverage" : "minMax"]++;
            if (value === expected[c]) continue;
            count.movingAverageApart++;
            // torch rounds each of three operations to float32, we the result once: 2 ulp of the largest value seen.
            assert.ok(
              moving && Math.abs(value - expected[c]) <= largest * 2 ** -22,
              `${what}: ${value}, torch ${expected[c]}`,
            );
          }
        }
      }
    }
    assert.deepEqual(count, { minMax: 1104, movingAverage: 496, movingAverageApart: 16 });
  });

  it("parameters of torch's ranges are equal, but for the conventions that differ", () => {
    const count = {
      equal: 0,
      oneUlp: 0,
      symmetricDivisor: 0,
      unsignedZeroPoint: 0,
      eps: 0,
      zeroExtent: 0,
      overflow: 0,
    };
    const eps = 2 ** -23;
    for (const { name, args, qmin, qmax, trace } of cases) {
      const symmetric = args.qscheme.includes("symmetric");
      const bits = Math.ceil(Math.log2(qmax - qmin + 1));
      const signed = qmin < 0;
      const narrowRange = signed && qmin > -(2 ** (bits - 1));
      for (const [t, state] of trace.entries()) {
        for (let c = 0; c < state.scale.length; c++) {
          const what = `${name}, batch ${t}, channel ${c}`;
          const [min, max] = [Math.min(fl(Number(state.min[c])), 0), Math.max(fl(Number(state.max[c])), 0)];
          const [scale, zeroPoint] = [fl(Number(state.scale[c])), Number(state.zero_point[c])];
          const own = chooseQuantParams({ min, max }, { bits, signed, narrowRange, symmetric }) as {
            scale: number;
            zeroPoint: number;
            qmin: number;
            qmax: number;
          };
          assert.deepEqual([own.qmin, own.qmax], [qmin, qmax], what);
          // torch's scale before its floor: extent over the grid's steps, over half of them where symmetric.
          const extent = symmetric ? Math.max(-min, max) : fl(max - min);
          const unfloored = fl(extent / ((qmax - qmin) / (symmetric ? 2 : 1)));
          const divisor = signed ? qmax : 2 ** (bits - 1);
          if (extent === 0) {
            count.zeroExtent++;
            assert.deepEqual([scale, own.scale, own.zeroPoint], [eps, 1, 0], what);
          } else if (extent === Number.POSITIVE_INFINITY) {
            count.overflow++;
            assert.equal(scale, Number.POSITIVE_INFINITY, what);
            assert.equal(own.scale, fl((max - min) / (qmax - qmin)), what);
          } else if (unfloored < eps) {
            count.eps++;
            assert.equal(scale, eps, what);
            assert.ok(own.scale < eps, what);
          } else if (symmetric && divisor !== (qmax - qmin) / 2) {
            count.symmetricDivisor++;
            assert.ok(ulpsApart(scale, unfloored) <= 1, what);
            assert.ok(ulpsApart(own.scale, fl(extent / divisor)) === 0, what);
            if (zeroPoint !== own.zeroPoint) {
              count.unsignedZeroPoint++;
              assert.deepEqual([zeroPoint, own.zeroPoint], [(qmax - 1) / 2, 2 ** (bits - 1)], what);
            }
          } else {
            const apart = ulpsApart(scale, own.scale);
            assert.ok(apart <= 1, `${what}: scale ${own.scale}, torch ${scale}`);
            assert.equal(own.zeroPoint, zeroPoint, what);
            count[apart === 0 ? "equal" : "oneUlp"]++;
          }
        }
      }
    }
    assert.deepEqual(count, {
      equal: 416,
      oneUlp: 71,
      symmetricDivisor: 255,
      unsignedZeroPoint: 26,
      eps: 12,
      zeroExtent: 42,
      overflow: 4,
    });
  });
});

describe("torch histogram observers", () => {
  const { cases } = readVectors<ObserverCase>("torch_observers_histogram");
  const histograms = cases.filter(({ observer }) => observer.startsWith("HistogramObserver"));

  // torch has bins of another width and place, and searches greedily from the outside in: ranges differ. What can
  // be compared is what they are for, the error on the values themselves.
  it("mse rounds the values seen with less error than torch's range, after every batch; its scale is 1 to 1.45 times torch's", () => {
    assert.deepEqual([cases.length, histograms.length], [10, 8]);
    let compared = 0;
    for (const { name, qmin, qmax, batches, trace } of histograms) {
      const observer = histogramObserver({ method: "mse" });
      const seen: number[] = [];
      for (const [t, { x }] of batches.entries()) {
        observer.observe(floats(x));
        seen.push(...floats(x));
        const params = observer.quantParams({ bits: Math.log2(qmax - qmin + 1), signed: false });
        const scale = fl(Number(trace[t].scale[0]));
        const errorOf = (p: QuantParams): number =>
          fakeQuantize(Float32Array.from(seen), p).reduce((sum, y, i) => sum + (y - seen[i]) ** 2, 0);
        const [own, torch] = [
          errorOf(params),
          errorOf({ scale, zeroPoint: Number(trace[t].zero_point[0]), qmin, qmax }),
        ];
        assert.ok(own < torch, `${name}, batch ${t}: error ${own}, torch ${torch}`);
        const ratio = Number(params.scale) / scale;
        assert.ok(ratio >= 1 && ratio <= 1.45, `${name}, batch ${t}: scale ${params.scale}, torch ${scale}`);
        compared++;
      }
    }
    assert.equal(compared, 16);
  });
});

interface BatchNormCase extends VectorCase {
  readonly kind: "conv" | "conv_transpose" | "linear";
  readonly weight_shape: number[];
  readonly weight: number[];
  readonly bias: number[] | null;
  readonly running_mean: number[];
  readonly running_var: number[];
  readonly gamma: number[] | null;
  readonly beta: number[] | null;
  readonly eps: number;
  readonly folded_weight: number[];
  readonly folded_bias: number[];
}

describe("torch batch-norm folding", () => {
  it("weights are equal; biases too but for 4 of 37, which torch's rsqrt moves by less than 1e-5", () => {
    const { cases } = readVectors<BatchNormCase>("torch_bn_fold");
    assert.equal(cases.length, 14);
    const count = { weights: 0, biases: 0, biasesApart: 0 };
    for (const one of cases) {
      const optional = (name: "bias" | "gamma" | "beta") => {
        const values = one[name];
        return values === null ? {} : { [name]: floats(values) };
      };
      const folded = foldBatchNorm(
        {
          weights: floats(one.weight),
          ...optional("bias"),
          ...optional("gamma"),
          ...optional("beta"),
          mean: floats(one.running_mean),
          variance: floats(one.running_var),
          epsilon: one.eps,
        },
        { shape: one.weight_shape, axis: one.kind === "conv_transpose" ? 1 : 0 },
      );
      assert.deepEqual(folded.weights, floats(one.folded_weight), one.name);
      count.weights += folded.weights.length;
      for (const [c, expected] of floats(one.folded_bias).entries()) {
        count.biases++;
        if (folded.bias[c] === expected) continue;
        count.biasesApart++;
        assert.ok(Math.abs(folded.bias[c] - expected) <= 1e-5 * Math.abs(expected), `${one.name}, bias ${c}`);
      }
    }
    assert.deepEqual(count, { weights: 475, biases: 37, biasesApart: 4 });
  });
});
