import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveParams } from "../../src/core/quant-params.js";
import { channelView, sizeOf } from "../../src/core/shape.js";
import { dequantize as defineDequantize } from "../../src/reference/dequantize.js";
import { fakeQuantizeGradient as defineGradient } from "../../src/reference/fake-quantize-gradient.js";
import { foldBatchNormWeights } from "../../src/reference/fold-batch-norm.js";
import { minMax as defineMinMax } from "../../src/reference/min-max.js";
import { quantize as defineQuantize } from "../../src/reference/quantize.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { fakeQuantizeGradient } from "../../src/wasm/fake-quantize-gradient.js";
import { foldBatchNorm } from "../../src/wasm/fold-batch-norm.js";
import { backend } from "../../src/wasm/load.js";
import { minMax } from "../../src/wasm/min-max.js";
import { quantize } from "../../src/wasm/quantize.js";
import { memoryUsage, residentArray } from "../../src/wasm/resident-array.js";

/** Shapes and axes whose channels repeat after few elements, many, more than a block holds, or never. */
const LAYOUTS: readonly { readonly shape: number[]; readonly axis: number; readonly why: string }[] = [
  { shape: [40, 10], axis: 1, why: "a short pattern" },
  { shape: [3, 5], axis: 1, why: "a pattern longer than the tensor once repeated to whole vectors" },
  { shape: [37, 1001], axis: 1, why: "a pattern that is no multiple of 16" },
  { shape: [5, 1040], axis: 1, why: "a long pattern that is a multiple of 16" },
  { shape: [33, 65, 1, 17], axis: 1, why: "short rows, repeated" },
  { shape: [2501, 1, 3, 3], axis: 0, why: "short rows, more than one block of them, never repeated" },
  { shape: [3, 20011], axis: 1, why: "a pattern longer than a block" },
  { shape: [2, 700, 63], axis: 1, why: "short rows in a pattern longer than a block" },
  { shape: [7, 3, 64], axis: 1, why: "long rows" },
  { shape: [2, 3, 20000], axis: 1, why: "rows longer than a block" },
];

describe("channels in blocks", () => {
  it("runs on kernels", () => assert.equal(backend(), "simd"));
  for (const { shape, axis, why } of LAYOUTS) {
    for (const place of ["plain arrays", "resident arrays"] as const) {
      it(`${why}: [${shape.join(", ")}], axis ${axis}, ${place}`, () => {
        const length = sizeOf(shape);
        const view = channelView(shape, axis);
        const params = {
          scale: Float32Array.from({ length: view.channels }, (_, c) => 0.01 + ((c * 7) % 13) / 50),
          zeroPoint: Int32Array.from({ length: view.channels }, (_, c) => (c % 19) - 9),
          qmin: -128,
          qmax: 127,
          axis,
        };
        const resolved = resolveParams("test", params, length, { shape });
        const values = Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 11)));
        const room = place === "plain arrays" ? undefined : residentArray("float32", length);
        room?.array.set(values);
        const x = (): Float32Array => room?.array ?? values;

        const codes = new Int8Array(length);
        defineQuantize(values, resolved, codes);
        assert.deepEqual(quantize(x(), params, { shape }), codes);
        const real = new Float32Array(length);
        defineDequantize(codes, resolved, real);
        assert.deepEqual(dequantize(codes, params, { shape }), real);
        const dx = new Float32Array(length);
        defineGradient(values, values, resolved, dx);
        assert.deepEqual(fakeQuantizeGradient(x(), x(), params, { shape }), dx);

        const [min, max] = [new Float32Array(view.channels), new Float32Array(view.channels)];
        defineMinMax(values, view, min, max);
        assert.deepEqual(minMax(x(), { shape, axis }), { min, max });

        const mean = new Float32Array(view.channels);
        const layer = { weights: x(), mean, variance: mean, gamma: params.scale, epsilon: 1 };
        const folded = new Float32Array(length);
        foldBatchNormWeights(values, params.scale, view, folded);
        assert.deepEqual(foldBatchNorm(layer, { shape, axis }).weights, folded);
        room?.dispose();
      });
    }
  }

  it("needs no more memory for a pattern longer than a block", () => {
    const before = memoryUsage().totalBytes;
    const channels = 300_000;
    const { min } = minMax(new Float32Array(channels).fill(3), { shape: [channels, 1], axis: 0 });
    assert.equal(min[channels - 1], 3);
    assert.equal(memoryUsage().totalBytes, before);
  });
});
