import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codesFor, type Grid, gridOf } from "../../src/core/grid.js";
import { type ResolvedParams, resolveParams } from "../../src/core/quant-params.js";
import { type ChannelView, tensorView } from "../../src/core/shape.js";
import { dequantize } from "../../src/reference/dequantize.js";
import { fakeQuantize } from "../../src/reference/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/reference/fake-quantize-gradient.js";
import * as fold from "../../src/reference/fold-batch-norm.js";
import { minMax } from "../../src/reference/min-max.js";
import { movingAverage } from "../../src/reference/moving-average.js";
import { observeFakeQuantize } from "../../src/reference/observe-fake-quantize.js";
import { packBits, packedLength, unpackBits } from "../../src/reference/pack-bits.js";
import { quantize } from "../../src/reference/quantize.js";
import type { KernelArray } from "../../src/wasm/blocks.js";
import type { TrainExports } from "../../src/wasm/exports.js";
import { straightThroughBounds } from "../../src/wasm/fake-quantize-gradient.js";
import { channelBits, channelParams, fromBits } from "./awkward-values.js";
import { assertSameBytes, bytesOf } from "./bytes.js";
import { TRAINING_EXPORTS } from "./training-contract.js";

// The exported kernels themselves, on a memory full of canaries: they write their outputs, and not a byte else.

type Operand = KernelArray | Int32Array;

/** One call of a kernel. */
interface KernelCall {
  readonly inputs: readonly Operand[];
  /** What the definition writes; `initial` is what stands there before, where the kernel updates it. */
  readonly outputs: readonly { readonly expected: Operand; readonly initial?: Operand }[];
  run(exports: TrainExports, inputs: readonly number[], outputs: readonly number[]): unknown;
}

/** The kernels with n elements, per tensor or with a period of 16 or 48 entries. */
function callsOf(n: number, period: 16 | 48): Record<string, KernelCall> {
  const channels: ChannelView = { outer: Math.ceil(n / period), channels: period, inner: 1 };
  const params = (grid: Grid, view: ChannelView): ResolvedParams => {
    const { scale, zeroPoint } = resolveParams("test", channelParams(grid, period, 0), period, { shape: [period] });
    return { ...grid, view, scale, zeroPoint };
  };
  const xOf = (grid: Grid) => fromBits(channelBits(channelParams(grid, period, 0)), n, 7 + n);

  const quantizeCall = (
    name: "quantizeF32ToI8" | "quantizeF32ToU8" | "quantizeF32ToI16" | "quantizeF32ToU16",
    grid: Grid,
  ): Record<string, KernelCall> => {
    const { qmin, qmax } = grid;
    const x = xOf(grid);
    const [perTensor, perChannel] = [tensorView(n), channels].map((view) => {
      const expected = codesFor(grid, n);
      quantize(x, params(grid, view), expected);
      return expected;
    });
    const { scale, zeroPoint } = params(grid, channels);
    return {
      [name]: {
        inputs: [x],
        outputs: [{ expected: perTensor }],
        run: (e, [from], [to]) => e[name](from, to, n, scale[0], zeroPoint[0], qmin, qmax),
      },
      [`${name}PerChannel`]: {
        inputs: [x, scale, zeroPoint],
        outputs: [{ expected: perChannel }],
        run: (e, [from, s, z], [to]) => e[`${name}PerChannel`](from, to, n, s, z, period, qmin, qmax),
      },
    };
  };

  const dequantizeCall = (
    name: "dequantizeI8ToF32" | "dequantizeU8ToF32" | "dequantizeI16ToF32" | "dequantizeU16ToF32",
    grid: Grid,
  ): Record<string, KernelCall> => {
    const { qmin, qmax } = grid;
    const q = codesFor(grid, n).map((_, i) => qmin + ((i * 37) % (qmax - qmin + 1)));
    const [perTensor, perChannel] = [tensorView(n), channels].map((view) => {
      const expected = new Float32Array(n);
      dequantize(q, params(grid, view), expected);
      return expected;
    });
    const { scale, zeroPoint } = params(grid, channels);
    return {
      [name]: {
        inputs: [q],
        outputs: [{ expected: perTensor }],
        run: (e, [from], [to]) => e[name](from, to, n, scale[0], zeroPoint[0], qmin, qmax),
      },
      [`${name}PerChannel`]: {
        inputs: [q, scale, zeroPoint],
        outputs: [{ expected: perChannel }],
        run: (e, [from, s, z], [to]) => e[`${name}PerChannel`](from, to, n, s, z, period, qmin, qmax),
      },
    };
  };

  const int8 = gridOf("test", { bits: 8 });
  const x = xOf(int8);
  const plain = Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7) * 9);
  const table = Float32Array.from({ length: period }, (_, c) => Math.cos(c * 2.1));
  const k = table.slice();
  const floats = (define: (view: ChannelView, out: Float32Array) => void) =>
    [tensorView(n), channels].map((view) => {
      const out = new Float32Array(n);
      define(view, out);
      return out;
    });

  const fake = floats((view, out) => fakeQuantize(x, params(int8, view), out));
  const gradient = floats((view, out) => fakeQuantizeGradient(plain, x, params(int8, view), out));
  const folded = floats((view, out) => fold.foldBatchNormWeights(plain, k, view, out));
  const { lo, hi } = straightThroughBounds(params(int8, channels));
  const { scale, zeroPoint } = params(int8, channels);

  const range = new Float32Array(2);
  minMax(plain, tensorView(n), range.subarray(0, 1), range.subarray(1));
  const running = [new Float32Array(period), new Float32Array(period)];
  minMax(plain, channels, running[0], running[1]);
  const state = plain.slice();
  movingAverage(
    state,
    x.map((v) => (Number.isFinite(v) ? v : 1)),
    0.9,
  );
  const observed = new Float32Array(n);
  const observedState = new ArrayBuffer(16);
  const ends = Float32Array.of(-1, 2);
  if (n > 0) {
    const chosen = observeFakeQuantize(plain, ends, { first: false, decay: 0.9 }, { bits: 8 }, observed);
    new Float32Array(observedState).set([...ends, chosen?.scale as number]);
    new Int32Array(observedState)[3] = chosen?.zeroPoint as number;
  }

  const sigma = plain.map((v) => v * v);
  const scales = new Float32Array(n);
  fold.foldBatchNormScale(plain, sigma, Math.fround(1e-3), scales);
  const bias = new Float32Array(n);
  fold.foldBatchNormBias(plain, sigma, scales, plain, bias);

  const codes = Int8Array.from({ length: n }, (_, i) => ((i * 5) % 4) - 2);
  const packed = new Uint8Array(packedLength(n, 2));
  packBits(codes, 2, packed);
  const unpacked = new Int8Array(n);
  unpackBits(packed, 2, unpacked);

  return {
    ...quantizeCall("quantizeF32ToI8", int8),
    ...quantizeCall("quantizeF32ToU8", gridOf("test", { bits: 8, signed: false })),
    ...quantizeCall("quantizeF32ToI16", gridOf("test", { bits: 16 })),
    ...quantizeCall("quantizeF32ToU16", gridOf("test", { bits: 16, signed: false })),
    ...dequantizeCall("dequantizeI8ToF32", int8),
    ...dequantizeCall("dequantizeU8ToF32", gridOf("test", { bits: 8, signed: false })),
    ...dequantizeCall("dequantizeI16ToF32", gridOf("test", { bits: 16 })),
    ...dequantizeCall("dequantizeU16ToF32", gridOf("test", { bits: 16, signed: false })),
    fakeQuantizeF32: {
      inputs: [x],
      outputs: [{ expected: fake[0] }],
      run: (e, [from], [to]) => e.fakeQuantizeF32(from, to, n, scale[0], zeroPoint[0], -128, 127),
    },
    fakeQuantizeF32PerChannel: {
      inputs: [x, scale, zeroPoint],
      outputs: [{ expected: fake[1] }],
      run: (e, [from, s, z], [to]) => e.fakeQuantizeF32PerChannel(from, to, n, s, z, period, -128, 127),
    },
    fakeQuantizeGradientF32: {
      inputs: [plain, x],
      outputs: [{ expected: gradient[0] }],
      run: (e, [dy, from], [to]) => e.fakeQuantizeGradientF32(dy, from, to, n, lo[0], hi[0]),
    },
    fakeQuantizeGradientF32PerChannel: {
      inputs: [plain, x, lo, hi],
      outputs: [{ expected: gradient[1] }],
      run: (e, [dy, from, low, high], [to]) => e.fakeQuantizeGradientF32PerChannel(dy, from, to, n, low, high, period),
    },
    minMaxF32: {
      inputs: [plain],
      outputs: [{ expected: range }],
      run: (e, [from], [to]) => assert.equal(e.minMaxF32(from, n, to), 1),
    },
    minMaxF32PerChannel: {
      inputs: [plain],
      outputs: [
        { expected: running[0], initial: new Float32Array(period).fill(Number.POSITIVE_INFINITY) },
        { expected: running[1], initial: new Float32Array(period).fill(Number.NEGATIVE_INFINITY) },
      ],
      run: (e, [from], [min, max]) => assert.equal(e.minMaxF32PerChannel(from, n, min, max, period), 1),
    },
    movingAverageF32: {
      inputs: [x.map((v) => (Number.isFinite(v) ? v : 1))],
      outputs: [{ expected: state, initial: plain }],
      run: (e, [from], [to]) => e.movingAverageF32(to, from, n, 0.9),
    },
    observeFakeQuantizeF32: {
      inputs: [plain],
      outputs: [
        { expected: observed },
        { expected: new Float32Array(observedState), initial: Float32Array.of(-1, 2, 0, 0) },
      ],
      run: (e, [from], [to, at]) => assert.equal(e.observeFakeQuantizeF32(from, to, n, at, 0, 0.9, -128, 127, 0), 0),
    },
    foldBatchNormScaleF32: {
      inputs: [plain, sigma],
      outputs: [{ expected: scales }],
      run: (e, [gamma, variance], [to]) => e.foldBatchNormScaleF32(gamma, variance, Math.fround(1e-3), to, n),
    },
    foldBatchNormWeightsF32: {
      inputs: [plain],
      outputs: [{ expected: folded[0] }],
      run: (e, [from], [to]) => e.foldBatchNormWeightsF32(from, to, n, k[0]),
    },
    foldBatchNormWeightsF32PerChannel: {
      inputs: [plain, k],
      outputs: [{ expected: folded[1] }],
      run: (e, [from, factors], [to]) => e.foldBatchNormWeightsF32PerChannel(from, to, n, factors, period),
    },
    foldBatchNormBiasF32: {
      inputs: [plain, sigma, scales],
      outputs: [{ expected: bias }],
      run: (e, [b, mean, factors], [to]) => e.foldBatchNormBiasF32(b, mean, factors, b, to, n),
    },
    packBits: {
      inputs: [codes],
      outputs: [{ expected: packed }],
      run: (e, [from], [to]) => assert.equal(e.packBits(from, to, n, 2, 1), 1),
    },
    unpackBits: {
      inputs: [packed],
      outputs: [{ expected: unpacked }],
      run: (e, [from], [to]) => e.unpackBits(from, to, n, 2, 1),
    },
  };
}

/** Runs one call on a memory of canaries and fails unless exactly the outputs were written, with the expected bytes. */
function runGuarded(exports: TrainExports, memory: WebAssembly.Memory, call: KernelCall, what: string): void {
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0xa5, 256);
  // From an odd element on, and 64 bytes apart, more than a vector store could overshoot.
  let free = 1024;
  const place = (array: Operand): number => {
    const ptr = Math.ceil(free / 16) * 16 + 3 * array.BYTES_PER_ELEMENT;
    free = ptr + array.byteLength + 64;
    return ptr;
  };
  const inputs = call.inputs.map((array) => {
    const ptr = place(array);
    bytes.set(bytesOf(array), ptr);
    return ptr;
  });
  const outputs = call.outputs.map(({ expected, initial }) => {
    const ptr = place(expected);
    if (initial !== undefined) bytes.set(bytesOf(initial), ptr);
    return ptr;
  });
  const image = bytes.slice();
  call.run(exports, inputs, outputs);
  for (const [i, { expected }] of call.outputs.entries()) {
    const Constructor = expected.constructor as new (buffer: ArrayBuffer) => KernelArray;
    const written = bytes.slice(outputs[i], outputs[i] + expected.byteLength);
    assertSameBytes(new Constructor(written.buffer), expected, `${what}, output ${i}`);
    image.set(bytesOf(expected), outputs[i]);
  }
  const stray = Buffer.compare(bytes, image) === 0 ? -1 : bytes.findIndex((byte, i) => byte !== image[i]);
  assert.equal(stray, -1, `${what}: byte ${stray}, outside of the outputs at ${outputs}, was written`);
}

/** The exports of a build: each writes its outputs and nothing else, for every length and at odd elements. */
export function exportsContract(module: WebAssembly.Module): void {
  describe("exports", () => {
    it("write their outputs and nothing else, lengths 0…67 at odd offsets", () => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TrainExports;
      assert.equal(exports.initConstants(16), 48);
      const elsewhere = ["initConstants", "features", "memory", ...TRAINING_EXPORTS];
      const names = Object.keys(exports).filter((name) => !elsewhere.includes(name));
      assert.deepEqual(Object.keys(callsOf(1, 16)).sort(), names.sort());
      for (let n = 0; n <= 67; n++) {
        for (const period of [16, 48] as const) {
          for (const [name, call] of Object.entries(callsOf(n, period))) {
            // Of nothing there is no range.
            if (n === 0 && /^minMaxF32$|^observe/.test(name)) continue;
            runGuarded(exports, memory, call, `${name}, ${n} elements, period ${period}`);
          }
        }
      }
    });

    it("pack and unpack every width within their outputs", () => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TrainExports;
      exports.initConstants(16);
      for (const bits of [1, 2, 4] as const) {
        for (const signed of [0, 1]) {
          for (let n = 0; n <= 67; n++) {
            const packed = Uint8Array.from({ length: packedLength(n, bits) }, (_, i) => i * 89 + n);
            const codes = signed ? new Int8Array(n) : new Uint8Array(n);
            unpackBits(packed, bits, codes);
            const again = new Uint8Array(packed.length);
            packBits(codes, bits, again);
            const what = `${bits} bits, signed ${signed}, ${n} codes`;
            const unpack: KernelCall = {
              inputs: [packed],
              outputs: [{ expected: codes }],
              run: (e, [from], [to]) => e.unpackBits(from, to, n, bits, signed),
            };
            const pack: KernelCall = {
              inputs: [codes],
              outputs: [{ expected: again }],
              run: (e, [from], [to]) => assert.equal(e.packBits(from, to, n, bits, signed), 1),
            };
            runGuarded(exports, memory, unpack, `unpackBits, ${what}`);
            runGuarded(exports, memory, pack, `packBits, ${what}`);
          }
        }
      }
    });
  });
}
