import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import {
  type Codes,
  dequantize,
  fakeQuantize,
  fakeQuantizeGradient,
  foldBatchNorm,
  init,
  minMax,
  minMaxObserver,
  movingAverageObserver,
  packBits,
  type QuantParams,
  quantize,
  unpackBits,
} from "../../src/index.js";
import { observeFakeQuantize } from "../../src/wasm/observe-fake-quantize.js";

type Refusal = [name: string, call: () => unknown, error: "TypeError" | "RangeError" | "QuantError", message: string];

const params = { scale: 0.5, zeroPoint: 0, qmin: -8, qmax: 7 };
const x = Float32Array.of(1, 2, 3, 4, 5, 6);
const shape = [2, 3];
const channels: QuantParams = { ...params, scale: new Float32Array(3).fill(1), zeroPoint: new Int32Array(3), axis: 1 };
/** A value that the types forbid. */
const wrong = <T>(value: unknown): T => value as T;

/** What each function that takes QuantParams refuses about them. */
function paramsRefusals(
  where: string,
  call: (params: QuantParams, options?: { shape?: number[] }) => unknown,
): Refusal[] {
  const grid = "expected integers qmin < qmax within [-32768, 32767] or [0, 65535]";
  return [
    [
      "no params",
      () => call(wrong(undefined)),
      "TypeError",
      "expected params { scale, zeroPoint, qmin, qmax }, got undefined",
    ],
    ["params null", () => call(wrong(null)), "TypeError", "expected params { scale, zeroPoint, qmin, qmax }, got null"],
    ["an empty grid", () => call({ ...params, qmin: 7 }), "RangeError", `${grid}, got 7 and 7`],
    ["a fractional grid", () => call({ ...params, qmax: 7.5 }), "RangeError", `${grid}, got -8 and 7.5`],
    ["a grid of 17 bits", () => call({ ...params, qmax: 65535 }), "RangeError", `${grid}, got -8 and 65535`],
    [
      "a grid without ends",
      () => call(wrong({ scale: 1, zeroPoint: 0 })),
      "RangeError",
      `${grid}, got undefined and undefined`,
    ],
    ["scale 0", () => call({ ...params, scale: 0 }), "RangeError", "expected scale > 0 and finite in float32, got 0"],
    [
      "scale NaN",
      () => call({ ...params, scale: Number.NaN }),
      "RangeError",
      "expected scale > 0 and finite in float32, got NaN",
    ],
    [
      "a scale beyond float32",
      () => call({ ...params, scale: 1e39 }),
      "RangeError",
      "expected scale > 0 and finite in float32, got Infinity",
    ],
    [
      "a scale that is 0 in float32",
      () => call({ ...params, scale: 1e-46 }),
      "RangeError",
      "expected scale > 0 and finite in float32, got 0",
    ],
    [
      "a zero point off the grid",
      () => call({ ...params, zeroPoint: 8 }),
      "RangeError",
      "expected an integer zeroPoint in [-8, 7], got 8",
    ],
    [
      "a fractional zero point",
      () => call({ ...params, zeroPoint: 0.5 }),
      "RangeError",
      "expected an integer zeroPoint in [-8, 7], got 0.5",
    ],
    [
      "scales in a plain list",
      () => call({ ...channels, scale: wrong([1, 1, 1]) }, { shape }),
      "TypeError",
      "expected scale as a number or Float32Array and zeroPoint as a number or Int32Array",
    ],
    [
      "no scale",
      () => call({ ...params, scale: wrong(undefined) }),
      "TypeError",
      "expected scale as a number or Float32Array and zeroPoint as a number or Int32Array",
    ],
    [
      "per channel without a shape",
      () => call(channels),
      "TypeError",
      "expected params.axis and options.shape with per-channel params, got axis 1, shape undefined",
    ],
    [
      "per channel without an axis",
      () => call({ ...params, scale: new Float32Array(3).fill(1) }, { shape }),
      "TypeError",
      "expected params.axis and options.shape with per-channel params, got axis undefined, shape 2,3",
    ],
    [
      "a shape of another size",
      () => call(params, { shape: [2, 2] }),
      "RangeError",
      "expected 4 elements for shape [2, 2], got 6",
    ],
    [
      "a negative dimension",
      () => call(channels, { shape: [-2, -3] }),
      "TypeError",
      "expected a shape of non-negative integers, got [-2,-3]",
    ],
    [
      "a shape that is no list",
      () => call(channels, { shape: wrong("23") }),
      "TypeError",
      'expected a shape of non-negative integers, got "23"',
    ],
    [
      "an axis beyond the rank",
      () => call({ ...channels, axis: 2 }, { shape }),
      "RangeError",
      "expected an axis in [-2, 1] for rank 2, got 2",
    ],
    [
      "a fractional axis",
      () => call({ ...channels, axis: 0.5 }, { shape }),
      "RangeError",
      "expected an axis in [-2, 1] for rank 2, got 0.5",
    ],
    [
      "too few channels",
      () => call({ ...channels, axis: 0 }, { shape }),
      "RangeError",
      "expected 2 scales and zero points, got 3 and 3",
    ],
    [
      "a bad scale of one channel",
      () => call({ ...channels, scale: Float32Array.of(1, -2, 1) }, { shape }),
      "RangeError",
      "expected scale > 0 and finite in float32, got -2 at channel 1",
    ],
    [
      "a bad zero point of one channel",
      () => call({ ...channels, zeroPoint: Int32Array.of(0, 0, -9) }, { shape }),
      "RangeError",
      "expected an integer zeroPoint in [-8, 7], got -9 at channel 2",
    ],
  ].map(([name, run, error, message]) => [name, run, error, `${where}: ${message}`] as Refusal);
}

const buffer = new ArrayBuffer(64);
const inBuffer = new Float32Array(buffer, 0, 6);

const refusals: Record<string, Refusal[]> = {
  quantize: [
    [
      "a plain list",
      () => quantize(wrong([1]), params),
      "TypeError",
      "quantize: expected x to be a Float32Array, got [object Array]",
    ],
    [
      "doubles",
      () => quantize(wrong(new Float64Array(1)), params),
      "TypeError",
      "quantize: expected x to be a Float32Array, got [object Float64Array]",
    ],
    [
      "an out of another type",
      () => quantize(x, params, { out: new Uint8Array(6) }),
      "TypeError",
      "quantize: expected out to be Int8Array for codes in [-8, 7], got Uint8Array",
    ],
    [
      "an out wider than the grid",
      () => quantize(x, { ...params, qmin: 0, zeroPoint: 0 }, { out: new Uint16Array(6) }),
      "TypeError",
      "quantize: expected out to be Uint8Array for codes in [0, 7], got Uint16Array",
    ],
    [
      "an out of another length",
      () => quantize(x, params, { out: new Int8Array(5) }),
      "RangeError",
      "quantize: expected out of 6 elements, got 5",
    ],
    [
      "an out that overlaps x",
      () => quantize(inBuffer, params, { out: new Int8Array(buffer, 8, 6) }),
      "RangeError",
      "quantize: expected out to lie apart from the input, got overlapping memory",
    ],
    ...paramsRefusals("quantize", (p, options) => quantize(x, p, options)),
  ],
  dequantize: [
    [
      "floats",
      () => dequantize(wrong<Codes>(x), params),
      "TypeError",
      "dequantize: expected q to be an Int8Array, Uint8Array, Int16Array or Uint16Array, got [object Float32Array]",
    ],
    [
      "an out of another type",
      () => dequantize(new Int8Array(6), params, { out: wrong(new Float64Array(6)) }),
      "TypeError",
      "dequantize: expected out to be a Float32Array, got [object Float64Array]",
    ],
    [
      "an out of another length",
      () => dequantize(new Int8Array(6), params, { out: new Float32Array(7) }),
      "RangeError",
      "dequantize: expected out of 6 elements, got 7",
    ],
    [
      "an out that overlaps q",
      () => dequantize(new Int8Array(buffer, 20, 6), params, { out: inBuffer }),
      "RangeError",
      "dequantize: expected out to lie apart from the input, got overlapping memory",
    ],
    ...paramsRefusals("dequantize", (p, options) => dequantize(new Int8Array(6), p, options)),
  ],
  fakeQuantize: [
    [
      "a plain list",
      () => fakeQuantize(wrong([1]), params),
      "TypeError",
      "fakeQuantize: expected x to be a Float32Array, got [object Array]",
    ],
    [
      "an out of another length",
      () => fakeQuantize(x, params, { out: new Float32Array(5) }),
      "RangeError",
      "fakeQuantize: expected out of 6 elements, got 5",
    ],
    [
      "an out that overlaps x in part",
      () => fakeQuantize(inBuffer, params, { out: new Float32Array(buffer, 4, 6) }),
      "RangeError",
      "fakeQuantize: expected out to be the input or to lie apart from it, got overlapping memory",
    ],
    ...paramsRefusals("fakeQuantize", (p, options) => fakeQuantize(x, p, options)),
  ],
  fakeQuantizeGradient: [
    [
      "dy of another kind",
      () => fakeQuantizeGradient(wrong([1]), x, params),
      "TypeError",
      "fakeQuantizeGradient: expected dy to be a Float32Array, got [object Array]",
    ],
    [
      "x of another kind",
      () => fakeQuantizeGradient(x, wrong(null), params),
      "TypeError",
      "fakeQuantizeGradient: expected x to be a Float32Array, got [object Null]",
    ],
    [
      "dy of another length",
      () => fakeQuantizeGradient(new Float32Array(5), x, params),
      "RangeError",
      "fakeQuantizeGradient: expected dy of 6 elements, got 5",
    ],
    [
      "an out that overlaps dy in part",
      () => fakeQuantizeGradient(inBuffer, x, params, { out: new Float32Array(buffer, 4, 6) }),
      "RangeError",
      "fakeQuantizeGradient: expected out to be the input or to lie apart from it, got overlapping memory",
    ],
    [
      "an out that overlaps x in part",
      () => fakeQuantizeGradient(x, inBuffer, params, { out: new Float32Array(buffer, 4, 6) }),
      "RangeError",
      "fakeQuantizeGradient: expected out to be the input or to lie apart from it, got overlapping memory",
    ],
    ...paramsRefusals("fakeQuantizeGradient", (p, options) => fakeQuantizeGradient(x, x, p, options)),
  ],
  minMax: [
    [
      "a plain list",
      () => minMax(wrong([1])),
      "TypeError",
      "minMax: expected x to be a Float32Array, got [object Array]",
    ],
    [
      "an empty tensor",
      () => minMax(new Float32Array(0)),
      "RangeError",
      "minMax: expected at least one element, got an empty tensor",
    ],
    [
      "an axis without a shape",
      () => minMax(x, { axis: 0 }),
      "TypeError",
      "minMax: expected shape with axis, got none",
    ],
    [
      "a shape of another size",
      () => minMax(x, { shape: [5], axis: 0 }),
      "RangeError",
      "minMax: expected 5 elements for shape [5], got 6",
    ],
    [
      "an axis beyond the rank",
      () => minMax(x, { shape, axis: -3 }),
      "RangeError",
      "minMax: expected an axis in [-2, 1] for rank 2, got -3",
    ],
    [
      "NaN",
      () => minMax(Float32Array.of(0, Number.NaN)),
      "QuantError",
      "minMax: expected finite values, got NaN at index 1",
    ],
  ],
  observeFakeQuantize: [
    [
      "a plain list",
      () => observeFakeQuantize(wrong([1]), new Float32Array(2), { first: true, decay: 0 }, { bits: 8 }),
      "TypeError",
      "observeFakeQuantize: expected x to be a Float32Array, got [object Array]",
    ],
    [
      "bad bits",
      () => observeFakeQuantize(x, new Float32Array(2), { first: true, decay: 0 }, { bits: 17 }),
      "RangeError",
      "observeFakeQuantize: expected bits in 1…16, got 17",
    ],
    [
      "an out that overlaps x in part",
      () =>
        observeFakeQuantize(
          inBuffer,
          new Float32Array(2),
          { first: true, decay: 0 },
          { bits: 8 },
          new Float32Array(buffer, 4, 6),
        ),
      "RangeError",
      "observeFakeQuantize: expected out to be the input or to lie apart from it, got overlapping memory",
    ],
  ],
  foldBatchNorm: foldRefusals(),
  packBits: [
    [
      "8 bits",
      () => packBits(new Uint8Array(1), wrong(8)),
      "RangeError",
      "packBits: expected bits to be 1, 2 or 4, got 8; 8-bit codes need no packing",
    ],
    [
      "16-bit codes",
      () => packBits(wrong(new Int16Array(1)), 4),
      "TypeError",
      "packBits: expected q to be an Int8Array or Uint8Array, got [object Int16Array]",
    ],
    [
      "an unsigned code that does not fit",
      () => packBits(Uint8Array.of(15, 16), 4),
      "RangeError",
      "packBits: expected codes in [0, 15], got 16 at index 1",
    ],
    [
      "a signed code that does not fit",
      () => packBits(Int8Array.of(1, -3), 2),
      "RangeError",
      "packBits: expected codes in [-2, 1], got -3 at index 1",
    ],
    [
      "a signed bit that does not fit",
      () => packBits(Int8Array.of(0, 1), 1),
      "RangeError",
      "packBits: expected codes in [-1, 0], got 1 at index 1",
    ],
  ],
  unpackBits: [
    [
      "3 bits",
      () => unpackBits(new Uint8Array(1), wrong(3), { length: 1, signed: false }),
      "RangeError",
      "unpackBits: expected bits to be 1, 2 or 4, got 3; 8-bit codes need no packing",
    ],
    [
      "words",
      () => unpackBits(wrong(new Uint32Array(1)), 4, { length: 1, signed: false }),
      "TypeError",
      "unpackBits: expected packed to be an Int8Array or Uint8Array, got [object Uint32Array]",
    ],
    [
      "a negative length",
      () => unpackBits(new Uint8Array(0), 4, { length: -1, signed: false }),
      "RangeError",
      "unpackBits: expected length ≥ 0, got -1",
    ],
    [
      "too few bytes",
      () => unpackBits(new Uint8Array(1), 4, { length: 3, signed: false }),
      "RangeError",
      "unpackBits: expected packed of 2 elements, got 1",
    ],
    [
      "too many bytes",
      () => unpackBits(new Uint8Array(3), 4, { length: 3, signed: false }),
      "RangeError",
      "unpackBits: expected packed of 2 elements, got 3",
    ],
  ],
  minMaxObserver: [
    [
      "no data",
      () => minMaxObserver().quantParams({ bits: 8 }),
      "QuantError",
      "minMaxObserver.quantParams: expected observed data, got none; call observe() first",
    ],
    [
      "a plain list",
      () => minMaxObserver().observe(wrong([1])),
      "TypeError",
      "minMaxObserver.observe: expected x to be a Float32Array, got [object Array]",
    ],
    [
      "NaN",
      () => minMaxObserver().observe(Float32Array.of(Number.NaN)),
      "QuantError",
      "minMaxObserver.observe: expected finite values, got NaN at index 0",
    ],
  ],
  movingAverageObserver: [
    [
      "no data",
      () => movingAverageObserver().quantParams({ bits: 8 }),
      "QuantError",
      "movingAverageObserver.quantParams: expected observed data, got none; call observe() first",
    ],
    [
      "decay 1",
      () => movingAverageObserver({ decay: 1 }),
      "RangeError",
      "movingAverageObserver: expected decay in [0, 1), got 1",
    ],
    [
      "decay NaN",
      () => movingAverageObserver({ decay: Number.NaN }),
      "RangeError",
      "movingAverageObserver: expected decay in [0, 1), got NaN",
    ],
    [
      "infinity",
      () => movingAverageObserver().observe(Float32Array.of(1, Number.POSITIVE_INFINITY)),
      "QuantError",
      "movingAverageObserver.observe: expected finite values, got Infinity at index 1",
    ],
  ],
};

function foldRefusals(): Refusal[] {
  const layer = { weights: x, mean: new Float32Array(3), variance: new Float32Array(3), epsilon: 1e-3 };
  const options = { shape, axis: 1 };
  const nan = Float32Array.of(0, 0, Number.NaN);
  const call =
    (change: object, at = options) =>
    () =>
      foldBatchNorm({ ...layer, ...change }, at);
  return (
    [
      [
        "weights of another kind",
        call({ weights: [1] }),
        "TypeError",
        "expected weights to be a Float32Array, got [object Array]",
      ],
      ["no mean", call({ mean: undefined }), "TypeError", "expected mean to be a Float32Array, got [object Undefined]"],
      [
        "gamma of another kind",
        call({ gamma: [1, 1, 1] }),
        "TypeError",
        "expected gamma to be a Float32Array, got [object Array]",
      ],
      [
        "a shape of another size",
        call({}, { shape: [3, 3], axis: 1 }),
        "RangeError",
        "expected 9 elements for shape [3, 3], got 6",
      ],
      [
        "an axis beyond the rank",
        call({}, { shape, axis: 2 }),
        "RangeError",
        "expected an axis in [-2, 1] for rank 2, got 2",
      ],
      ["epsilon 0", call({ epsilon: 0 }), "RangeError", "expected epsilon > 0 in float32, got 0"],
      [
        "epsilon that is 0 in float32",
        call({ epsilon: 1e-50 }),
        "RangeError",
        "expected epsilon > 0 in float32, got 1e-50",
      ],
      ["no epsilon", call({ epsilon: undefined }), "RangeError", "expected epsilon > 0 in float32, got undefined"],
      [
        "a bias of another length",
        call({ bias: new Float32Array(2) }),
        "RangeError",
        "expected bias of 3 elements, got 2",
      ],
      [
        "a mean of another length",
        call({ mean: new Float32Array(4) }),
        "RangeError",
        "expected mean of 3 elements, got 4",
      ],
      [
        "negative variance",
        call({ variance: Float32Array.of(1, -1, 1) }),
        "RangeError",
        "expected variance ≥ 0, got -1 at channel 1",
      ],
      ["NaN in beta", call({ beta: nan }), "QuantError", "expected finite beta, got NaN at index 2"],
      [
        "infinity in weights",
        call({ weights: x.map((v) => v / 0) }),
        "QuantError",
        "expected finite weights, got Infinity at index 0",
      ],
      [
        "weights that overflow",
        call({ weights: x.map(() => 3e38), gamma: Float32Array.of(1e9, 1e9, 1e9) }),
        "QuantError",
        "expected folded weights within float32, got Infinity at index 0; look at gamma, variance and epsilon",
      ],
      [
        "a bias that overflows",
        call({
          beta: Float32Array.of(0, 3e38, 0),
          mean: Float32Array.of(0, -3e38, 0),
          gamma: Float32Array.of(1, 9, 1),
        }),
        "QuantError",
        "expected folded bias within float32, got Infinity at index 1; look at gamma, variance and epsilon",
      ],
    ] as Refusal[]
  ).map(([name, run, error, message]) => [name, run, error, `foldBatchNorm: ${message}`]);
}

for (const build of ["simd", "reference"] as const) {
  describe(`argument errors, ${build}`, () => {
    before(() => init({ build }));
    for (const [where, list] of Object.entries(refusals)) {
      describe(where, () => {
        for (const [name, call, error, message] of list) {
          it(`refuses ${name}`, () => assert.throws(call, { name: error, message }));
        }
      });
    }
  });
}

describe("arguments that are fine", () => {
  it("out exactly in place, out beside the input in one buffer, and a shape without channels", () => {
    const y = fakeQuantize(inBuffer.fill(0.6), params, { out: inBuffer, shape });
    assert.deepEqual([...y], Array(6).fill(0.5));
    const beside = new Int8Array(buffer, 24, 6);
    assert.equal(quantize(inBuffer, params, { out: beside }), beside);
    assert.deepEqual([...beside], Array(6).fill(1));
  });

  it("one zero point for more channels than a call has room for arguments", () => {
    const n = 300_000;
    const scale = new Float32Array(n).fill(0.5);
    const q = quantize(new Float32Array(n).fill(1), { ...params, scale, axis: 0 }, { shape: [n] });
    assert.equal(
      q.every((code) => code === 2),
      true,
    );
  });
});
