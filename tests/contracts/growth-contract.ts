import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dequantize } from "../../src/wasm/dequantize.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/wasm/fake-quantize-gradient.js";
import { foldBatchNorm } from "../../src/wasm/fold-batch-norm.js";
import { ARENA_START } from "../../src/wasm/library-memory.js";
import { minMax } from "../../src/wasm/min-max.js";
import { observeFakeQuantize } from "../../src/wasm/observe-fake-quantize.js";
import { packBits, unpackBits } from "../../src/wasm/pack-bits.js";
import { quantize } from "../../src/wasm/quantize.js";
import { memoryUsage, residentArray } from "../../src/wasm/resident-array.js";

const params = { scale: 0.5, zeroPoint: 0, qmin: -128, qmax: 127 };

/** Fills linear memory to the last byte, calls `use` with residents that lie there, and checks that it made memory grow. */
function whileFull(use: (floats: Float32Array, codes: Int8Array) => void): void {
  const { totalBytes, residentBytes } = memoryUsage();
  assert.equal(residentBytes, 0);
  const codes = residentArray("int8", 1024);
  const rest = residentArray("float32", (totalBytes - ARENA_START - 1024) / 4);
  assert.deepEqual(memoryUsage(), { totalBytes, residentBytes: totalBytes - ARENA_START, peakBytes: totalBytes });
  try {
    use(rest.array.subarray(0, 1024), codes.array);
    assert.ok(memoryUsage().totalBytes > totalBytes, "expected the call to grow the memory");
  } finally {
    codes.dispose();
    rest.dispose();
  }
}

/** Growth in the middle of a call detaches the arrays that lie in linear memory; the call works all the same. */
export function growthContract(): void {
  describe("memory that grows during a call", () => {
    const x = Float32Array.from({ length: 1024 }, (_, i) => (i % 37) - 18);
    const codes = Int8Array.from({ length: 1024 }, (_, i) => (i % 15) - 7);
    const cases: Record<string, (floats: Float32Array, codes: Int8Array) => [unknown, unknown]> = {
      quantize: (floats) => {
        floats.set(x);
        return [quantize(floats, params), quantize(x, params)];
      },
      "quantize, resident out": (_, out) => [quantize(x, params, { out }), quantize(x, params)],
      "quantize, all resident, per channel": (floats, out) => {
        floats.set(x);
        const scale = floats.subarray(0, 256).fill(0.25);
        const perChannel = { ...params, scale, zeroPoint: new Int32Array(256), axis: 0 };
        const copies = [floats.slice(), { ...perChannel, scale: scale.slice() }] as const;
        return [quantize(floats, perChannel, { shape: [256, 4], out }), quantize(...copies, { shape: [256, 4] })];
      },
      dequantize: (_, q) => {
        q.set(codes);
        return [dequantize(q, params), dequantize(codes, params)];
      },
      "dequantize, resident out": (out) => [dequantize(codes, params, { out }), dequantize(codes, params)],
      "fakeQuantize, in place": (floats) => {
        floats.set(x);
        const perChannel = { ...params, scale: new Float32Array(1024).fill(3), axis: 0 };
        const options = { shape: [1024] };
        return [fakeQuantize(floats, perChannel, { ...options, out: floats }), fakeQuantize(x, perChannel, options)];
      },
      "fakeQuantizeGradient, resident dy": (floats) => {
        floats.set(x);
        return [fakeQuantizeGradient(floats, x, params), fakeQuantizeGradient(x, x, params)];
      },
      minMax: (floats) => {
        floats.set(x);
        return [minMax(floats), minMax(x)];
      },
      "minMax of NaN": (floats) => {
        floats[5] = Number.NaN;
        assert.throws(() => minMax(floats), { message: "minMax: expected finite values, got NaN at index 5" });
        return [1, 1];
      },
      "observeFakeQuantize, in place": (floats) => {
        floats.set(x);
        const observe = (values: Float32Array) =>
          observeFakeQuantize(values, new Float32Array(2), { first: true, decay: 0 }, { bits: 4 }, values);
        return [observe(floats), observe(x.slice())];
      },
      foldBatchNorm: (floats) => {
        floats.set(x);
        const layer = (all: Float32Array) => ({
          weights: all,
          gamma: all.subarray(0, 256),
          bias: all.subarray(256, 512),
          mean: all.subarray(512, 768),
          variance: new Float32Array(256).fill(2),
          epsilon: 1,
        });
        return [
          foldBatchNorm(layer(floats), { shape: [256, 4], axis: 0 }),
          foldBatchNorm(layer(x), { shape: [256, 4], axis: 0 }),
        ];
      },
      packBits: (_, q) => {
        q.set(codes);
        return [packBits(q, 4), packBits(codes, 4)];
      },
      unpackBits: (_, bytes) => {
        bytes.set(codes);
        const options = { length: 2048, signed: true };
        const packed = (array: Int8Array) => new Uint8Array(array.buffer, array.byteOffset, array.length);
        return [unpackBits(packed(bytes), 4, options), unpackBits(packed(codes), 4, options)];
      },
    };
    for (const [name, run] of Object.entries(cases)) {
      it(name, () => {
        whileFull((floats, q) => {
          const [actual, expected] = run(floats, q);
          assert.deepEqual(actual, expected);
        });
      });
    }
  });
}
