import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { NaiveQuantizer } from "../../src/arrays/naive-quantizer.js";
import { isQuantized, type QuantizedTensor, type StateDict } from "../../src/core/tensor.js";

const STATE: StateDict = {
  "conv.weight": { data: Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)), shape: [3, 2, 3, 3] },
  "conv.bias": { data: Float32Array.of(1, 2, 3), shape: [3] },
  "fc.weight": { data: Float32Array.of(1, -2, 0, 0, 3, 4), shape: [3, 2] },
};

/** Codes and scales of one channel by the definition: scale = fl(max|w| / qmax), code = rne(fl(w / scale)). */
function expectedChannel(values: number[], bits: number): { scale: number; codes: number[] } {
  const qmax = 2 ** (bits - 1) - 1;
  const largest = Math.max(...values.map(Math.abs));
  const scale = largest === 0 ? 1 : Math.max(2 ** -126, Math.fround(largest / qmax));
  const codes = values.map((value) => {
    const x = Math.fround(value / scale);
    const below = Math.floor(x);
    const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
    return Math.max(-qmax, Math.min(qmax, up ? below + 1 : below));
  });
  return { scale, codes };
}

test("each output channel has its own scale; biases stay; the given arrays are untouched", () => {
  const before = structuredClone(STATE);
  const small = new NaiveQuantizer().compress(STATE);
  assert.deepEqual(STATE, before);
  assert.equal(small["conv.bias"], STATE["conv.bias"]);
  for (const name of ["conv.weight", "fc.weight"]) {
    const { data, shape, params } = small[name] as QuantizedTensor;
    const { data: values } = STATE[name];
    assert.deepEqual(shape, STATE[name].shape);
    assert.equal(params.axis, 0);
    assert.deepEqual([params.qmin, params.qmax], [-127, 127]);
    const row = values.length / shape[0];
    for (let c = 0; c < shape[0]; c++) {
      const { scale, codes } = expectedChannel([...values.subarray(c * row, (c + 1) * row)], 8);
      assert.equal((params.scale as Float32Array)[c], scale);
      assert.deepEqual([...data.subarray(c * row, (c + 1) * row)], codes);
    }
  }
});

test("codes follow the definition for every width, per tensor", () => {
  fc.assert(
    fc.property(
      fc.float32Array({
        minLength: 1,
        maxLength: 40,
        noNaN: true,
        noDefaultInfinity: true,
        max: 2 ** 100,
        min: -(2 ** 100),
      }),
      fc.integer({ min: 2, max: 8 }),
      (data, bits) => {
        const state = { "fc.weight": { data, shape: [1, data.length] } };
        const small = new NaiveQuantizer({ bits, granularity: "perTensor" }).compress(state);
        const { data: codes, params } = small["fc.weight"] as QuantizedTensor;
        const expected = expectedChannel([...data], bits);
        assert.equal(params.scale, expected.scale);
        assert.deepEqual(
          [...codes],
          expected.codes.map((code) => code + 0),
        );
      },
    ),
  );
});

test("the layout says where output channels are", () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i - 11);
  const axis = (shape: number[], layout: "pytorch" | "tfjs", type?: string): number | undefined => {
    const entry = { data, shape, ...(type !== undefined && { type }) };
    return (new NaiveQuantizer().compress({ "l.weight": entry }, { layout })["l.weight"] as QuantizedTensor).params
      .axis;
  };
  assert.equal(axis([4, 6], "pytorch"), 0);
  assert.equal(axis([4, 6], "tfjs"), 1);
  assert.equal(axis([2, 3, 2, 2], "pytorch", "ConvTranspose2d"), 1);
  assert.equal(axis([2, 2, 3, 2], "tfjs", "Conv2DTranspose"), 2);
  const depthwise = new NaiveQuantizer().compress(
    { "d.weight": { data, shape: [2, 2, 3, 2], type: "DepthwiseConv2D" } },
    { layout: "tfjs" },
  )["d.weight"] as QuantizedTensor;
  assert.deepEqual([depthwise.shape, depthwise.params.axis], [[2, 2, 1, 6], 3]);
});

test("a config list chooses layers; the last match wins and excluded layers stay", () => {
  const quantizer = new NaiveQuantizer([
    { quant_types: ["weight"], quant_bits: 8, op_types: ["default"] },
    { op_names: ["fc"], exclude: true },
  ]);
  const small = quantizer.compress(STATE);
  assert.ok(isQuantized(small["conv.weight"]));
  assert.equal(small["fc.weight"], STATE["fc.weight"]);
});

test("the report counts bytes and signal to noise", () => {
  const quantizer = new NaiveQuantizer({ bits: 4 });
  quantizer.compress(STATE);
  const { tensors, bytesBefore, bytesAfter } = quantizer.report();
  assert.deepEqual(
    tensors.map(({ name, bits, bytesBefore, bytesAfter }) => ({ name, bits, bytesBefore, bytesAfter })),
    [
      { name: "conv.weight", bits: 4, bytesBefore: 216, bytesAfter: 27 + 12 },
      { name: "conv.bias", bits: 32, bytesBefore: 12, bytesAfter: 12 },
      { name: "fc.weight", bits: 4, bytesBefore: 24, bytesAfter: 3 + 12 },
    ],
  );
  assert.deepEqual([bytesBefore, bytesAfter], [252, 66]);
  // fc.weight: scales fl(2/7), 1, fl(4/7); 1 → 4·fl(2/7) (tie 3.5 to even), −2, 0, 0 and 4 exactly, 3 → 5·fl(4/7).
  const noise = (4 * Math.fround(2 / 7) - 1) ** 2 + (5 * Math.fround(4 / 7) - 3) ** 2;
  const sqnr = 10 * Math.log10(30 / noise);
  assert.ok(Math.abs((tensors[2].sqnr - sqnr) / sqnr) < 1e-6, `${tensors[2].sqnr} ${sqnr}`);
  assert.equal(tensors[1].sqnr, Number.POSITIVE_INFINITY);
});

test("bad input: one clear error each", () => {
  const compress = (state: unknown): unknown => new NaiveQuantizer().compress(state as StateDict);
  const data = new Float32Array(4);
  for (const [state, name, message] of [
    [{}, "QuantError", "NaiveQuantizer.compress: expected at least one tensor, got none"],
    [null, "TypeError", "NaiveQuantizer.compress: expected a state dict { name: { data, shape } }, got null"],
    [{ a: 1 }, "TypeError", 'NaiveQuantizer.compress: "a": expected { data, shape }, got 1'],
    [
      { a: { data, shape: [2, 3] } },
      "RangeError",
      'NaiveQuantizer.compress: "a": expected 6 elements for shape [2, 3], got 4',
    ],
    [
      { a: { data: [1], shape: [1] } },
      "TypeError",
      'NaiveQuantizer.compress: "a": expected data to be a Float32Array, got [object Array]',
    ],
    [
      { a: { data: Float32Array.of(0, 0, Number.NaN, 0), shape: [2, 2] } },
      "QuantError",
      'NaiveQuantizer.compress: "a": expected finite values, got NaN at index 2',
    ],
  ] as const) {
    assert.throws(() => compress(state), { name, message });
  }
  assert.throws(() => new NaiveQuantizer({ bits: 9 }), {
    name: "RangeError",
    message: "NaiveQuantizer: expected bits in 2…8, got 9",
  });
  assert.throws(() => new NaiveQuantizer({ gradientBits: 4 } as never), {
    name: "TypeError",
    message: 'NaiveQuantizer: expected options among bits, weightBits, granularity, got "gradientBits"',
  });
  assert.throws(() => new NaiveQuantizer({ granularity: "perAxis" as never }), {
    name: "RangeError",
    message: 'NaiveQuantizer: expected granularity perChannel or perTensor, got "perAxis"',
  });
  assert.throws(() => new NaiveQuantizer().report(), {
    code: "invalid-model",
    message: "NaiveQuantizer.report: expected a compressed model, got none; call compress first",
  });
});
