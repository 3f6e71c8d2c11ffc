import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import type { ModelArtifacts, WeightSpec } from "../../../src/formats/tfjs-model/artifacts.js";
import { decodeFloats, floatWeight, joinWeights, splitWeights } from "../../../src/formats/tfjs-model/weight-data.js";

const bits = (data: Float32Array): Uint32Array => new Uint32Array(data.slice().buffer);

/** Our decoding of one weight, and that of stock tfjs. */
function bothDecodings(spec: WeightSpec, data: ArrayBuffer): [Float32Array, Float32Array] {
  const [weight] = splitWeights({ weightSpecs: [spec], weightData: data });
  const tensor = tf.io.decodeWeights(data, [spec as tf.io.WeightsManifestEntry])[spec.name];
  const stock = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return [decodeFloats(weight), stock];
}

describe("decodeFloats is what stock tfjs decodes, bit for bit", () => {
  it("float32", () => {
    const data = Float32Array.of(0, -0, 1.5, -3e38, 1e-45, Number.POSITIVE_INFINITY);
    const [ours, stock] = bothDecodings({ name: "w", shape: [2, 3], dtype: "float32" }, data.buffer);
    assert.deepEqual(bits(ours), bits(stock));
    assert.deepEqual(bits(ours), bits(data));
  });

  it("float16, all 65536 codes", () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
    const quantization = { dtype: "float16" } as const;
    const [ours, stock] = bothDecodings({ name: "w", shape: [65536], dtype: "float32", quantization }, codes.buffer);
    for (let code = 0; code < 65536; code++) assert.ok(Object.is(ours[code], stock[code]), `0x${code.toString(16)}`);
    assert.deepEqual([ours[0x3c00], ours[0x8000], ours[1], ours[0x7bff]], [1, -0, 2 ** -24, 65504]);
  });

  it("uint8 and uint16, all codes, for many scales", () => {
    const finite = fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(fc.constantFrom("uint8" as const, "uint16" as const), finite, finite, (dtype, scale, min) => {
        const length = dtype === "uint8" ? 256 : 65536;
        const codes = dtype === "uint8" ? new Uint8Array(length) : new Uint16Array(length);
        codes.forEach((_, code) => {
          codes[code] = code;
        });
        const spec = { name: "w", shape: [length], dtype: "float32", quantization: { dtype, scale, min } } as const;
        const [ours, stock] = bothDecodings(spec, codes.buffer);
        assert.deepEqual(bits(ours), bits(stock));
      }),
      { numRuns: 40 },
    );
  });
});

describe("splitWeights", () => {
  it("cuts all dtypes at their unaligned places, from one buffer or many", () => {
    const specs: WeightSpec[] = [
      { name: "flags", shape: [3], dtype: "bool" },
      { name: "words", shape: [2], dtype: "string" },
      { name: "scalar", shape: [], dtype: "float32" },
      { name: "ids", shape: [2], dtype: "int32" },
      { name: "small", shape: [3], dtype: "int32", quantization: { dtype: "uint8", scale: 2, min: -1 } },
      { name: "z", shape: [1], dtype: "complex64" },
      { name: "none", shape: [0, 7], dtype: "float32" },
      { name: "half", shape: [1], dtype: "float32", quantization: { dtype: "float16" } },
    ];
    const words = [2, 0, 0, 0, 104, 105, 0, 0, 0, 0];
    const lengths = [3, words.length, 4, 8, 3, 8, 0, 2];
    const data = Uint8Array.from({ length: 38 }, (_, i) => i);
    data.set(words, 3);
    const parts = [data.slice(0, 5).buffer, data.slice(5, 5).buffer, data.slice(5).buffer];
    for (const weightData of [data.buffer, parts]) {
      const weights = splitWeights({ weightSpecs: specs, weightData });
      assert.deepEqual(
        weights.map(({ bytes }) => bytes.length),
        lengths,
      );
      assert.deepEqual(
        weights.map(({ spec }) => spec),
        specs,
      );
      assert.deepEqual(joinWeights(weights), { weightSpecs: specs, weightData: data.buffer });
    }
  });

  it("no specs and no data make no weights", () => {
    assert.deepEqual(splitWeights({}), []);
    assert.deepEqual(splitWeights({ weightSpecs: [], weightData: [] }), []);
  });

  const refuses = (name: string, specs: unknown, bytes: number, message: string): void => {
    it(`refuses ${name}`, () => {
      const artifacts = { weightSpecs: specs, weightData: new ArrayBuffer(bytes) } as ModelArtifacts;
      assert.throws(() => splitWeights(artifacts), {
        name: "QuantError",
        code: "invalid-file",
        message: `tfjs model: ${message}`,
      });
    });
  };
  const w = { name: "w", shape: [2, 3], dtype: "float32" };
  refuses("specs that are no list", { length: 1 }, 0, "expected weight specs as a list, got an object");
  refuses("a spec that is null", [null], 0, "expected a weight name, got undefined");
  refuses("a name that is no string", [{ ...w, name: 3 }], 24, "expected a weight name, got 3");
  refuses("a name twice", [w, w], 48, 'expected weight names once each, got "w" twice');
  for (const shape of [undefined, null, 6, "6", [2, -3], [2, 1.5], [null], ["2"], [2 ** 40, 2 ** 40], [[2]]]) {
    const text = JSON.stringify(shape);
    refuses(`the shape ${text}`, [{ ...w, shape }], 24, `expected a shape for "w", got ${text}`);
  }
  for (const dtype of [undefined, "float64", "constructor", 1]) {
    const text = JSON.stringify(dtype);
    refuses(`the dtype ${text}`, [{ ...w, dtype }], 24, `expected a dtype for "w", got ${text}`);
  }
  for (const quantization of [null, "uint8", []]) {
    const text = JSON.stringify(quantization);
    refuses(
      `quantization ${text}`,
      [{ ...w, quantization }],
      6,
      `expected quantization of "w" as an object, got ${text}`,
    );
  }
  refuses(
    "another stored type",
    [{ ...w, quantization: { dtype: "int4" } }],
    6,
    'expected uint8, uint16 or float16 for "w", got "int4"',
  );
  for (const [scale, min] of [
    [undefined, 0],
    [1, undefined],
    [null, 0],
    ["1", 0],
    [Number.POSITIVE_INFINITY, 0],
  ]) {
    refuses(
      `scale ${scale} and min ${min}`,
      [{ ...w, quantization: { dtype: "uint8", scale, min } }],
      6,
      `expected scale and min for "w", got ${scale} and ${min}`,
    );
  }
  refuses("too few bytes", [w], 23, 'expected 24 bytes for "w" [2, 3], got 23');
  refuses(
    "a shape of terabytes",
    [{ ...w, shape: [2 ** 40] }],
    24,
    'expected 4398046511104 bytes for "w" [1099511627776], got 24',
  );
  refuses("too many bytes", [w], 25, "expected 24 bytes of weights, got 25");
  refuses("bytes without specs", [], 4, "expected 0 bytes of weights, got 4");
  const words = { name: "s", shape: [2], dtype: "string" };
  refuses("strings that end early", [words], 7, 'expected a string in "s", got the end of the data');

  it("refuses a string longer than the data", () => {
    const weightData = Uint32Array.of(4, 0, 0xffffffff).buffer;
    assert.throws(() => splitWeights({ weightSpecs: [words as WeightSpec], weightData }), {
      message: 'tfjs model: expected 4294967307 bytes for "s" [2], got 12',
    });
  });
});

it("floatWeight keeps every bit, NaN's too", () => {
  const data = new Float32Array(Uint32Array.of(0x7fc12345, 0x80000000, 1, 0x3f800000).buffer);
  assert.deepEqual(floatWeight("w", [4], data).bytes, new Uint8Array(data.buffer));
});
