import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchNormTrainCall } from "../../src/wasm/batch-norm-train.js";
import { batchNormTrainGradientCall } from "../../src/wasm/batch-norm-train-gradient.js";
import { biasGradientCall } from "../../src/wasm/bias-gradient.js";
import { channelAffineCall } from "../../src/wasm/channel-affine.js";
import { channelAffineGradientCall } from "../../src/wasm/channel-affine-gradient.js";
import { clipGradientCall } from "../../src/wasm/clip-gradient.js";
import { conv2dBackpropFilterCall } from "../../src/wasm/conv2d-backprop-filter.js";
import { conv2dBackpropInputCall } from "../../src/wasm/conv2d-backprop-input.js";
import { depthwiseBackpropFilterCall } from "../../src/wasm/depthwise-backprop-filter.js";
import { depthwiseBackpropInputCall } from "../../src/wasm/depthwise-backprop-input.js";
import { dorefaActivationsCall } from "../../src/wasm/dorefa-activations.js";
import { dorefaActivationsGradientCall } from "../../src/wasm/dorefa-activations-gradient.js";
import { dorefaGradientsCall } from "../../src/wasm/dorefa-gradients.js";
import { dorefaWeightsCall } from "../../src/wasm/dorefa-weights.js";
import { dorefaWeightsGradientCall } from "../../src/wasm/dorefa-weights-gradient.js";
import type { TrainExports } from "../../src/wasm/exports.js";
import type { KernelCall } from "../../src/wasm/kernel-call.js";
import { maxPoolGradientCall } from "../../src/wasm/max-pool-gradient.js";
import { momentsCall } from "../../src/wasm/moments.js";
import { signActivationsCall } from "../../src/wasm/sign-activations.js";
import { signActivationsGradientCall } from "../../src/wasm/sign-activations-gradient.js";
import { CHANNELS, geometryOf, IMAGES, nameOf, noise, steps, WINDOWS } from "./geometries.js";

// The training kernels on a memory full of canaries: they give what the reference defines, and write their outputs and
// their scratch, not a byte else.

/** The kernels that this contract covers. */
export const TRAINING_EXPORTS = [
  "batchNormTrainF32",
  "batchNormTrainGradientF32",
  "biasGradientF32",
  "channelAffineF32",
  "channelAffineGradientF32",
  "clipGradientF32",
  "conv2dBackpropFilterF32",
  "conv2dBackpropInputF32",
  "depthwiseBackpropFilterF32",
  "depthwiseBackpropInputF32",
  "dorefaGradientsF32",
  "dorefaWeightsF32",
  "dorefaWeightsGradientF32",
  "maxPoolGradientF32",
  "momentsF32",
  "signActivationsF32",
] as const satisfies readonly (keyof TrainExports)[];

const CANARY = 0xa5;
/** Bytes between arrays; more than a kernel could overshoot by a tile. */
const MARGIN = 96;
/** Of gradients of convolutions, relative to the largest value (docs/numerics.md, "Gradients of training"). */
const TOLERANCE = 1e-5;

/** An instance of a build on a memory of its own. */
export interface Instance {
  readonly exports: TrainExports;
  readonly memory: WebAssembly.Memory;
}

/** Runs a call and returns its outputs; fails when it writes anything but its outputs and scratch. */
function runGuarded({ exports, memory }: Instance, call: KernelCall, inputs: Float32Array[], what: string) {
  let free = 1024;
  const place = (bytes: number, oddBytes: number): number => {
    const ptr = Math.ceil(free / 16) * 16 + oddBytes;
    free = ptr + bytes + MARGIN;
    return ptr;
  };
  // Arrays begin at an odd element; words and scratch are promised to be aligned.
  const at = {
    words: place(call.words.byteLength, 0),
    scratch: place(call.scratchBytes, 0),
    inputs: call.inputs.map((length) => place(4 * length, 12)),
    outputs: call.outputs.map((length) => place(4 * length, 4)),
  };
  assert.ok(free <= memory.buffer.byteLength, `${what}: test memory too small, ${free} bytes`);
  const bytes = new Uint8Array(memory.buffer, 0, free);
  bytes.fill(CANARY, 64);
  new Int32Array(memory.buffer).set(call.words, at.words / 4);
  for (const [i, input] of inputs.entries()) {
    assert.equal(input.length, call.inputs[i], `${what}: input ${i}`);
    new Float32Array(memory.buffer).set(input, at.inputs[i] / 4);
  }
  const image = bytes.slice();
  call.run(exports, at);
  const outputs = call.outputs.map((length, i) =>
    new Float32Array(memory.buffer).slice(at.outputs[i] / 4, at.outputs[i] / 4 + length),
  );
  const written = [[at.scratch, call.scratchBytes], ...call.outputs.map((length, i) => [at.outputs[i], 4 * length])];
  for (const [ptr, length] of written) image.set(bytes.subarray(ptr, ptr + length), ptr);
  const stray = Buffer.compare(bytes, image) === 0 ? -1 : bytes.findIndex((byte, i) => byte !== image[i]);
  assert.equal(stray, -1, `${what}: byte ${stray} was written, outside of ${JSON.stringify(at)}`);
  return outputs;
}

/** What the reference gives. */
export function referenceOf(call: KernelCall, inputs: Float32Array[]): Float32Array[] {
  const outputs = call.outputs.map((length) => new Float32Array(length));
  call.reference(inputs, outputs);
  return outputs;
}

/** Largest difference, relative to the largest expected value; 0 for two empty or zero arrays. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  assert.equal(actual.length, expected.length);
  let difference = 0;
  let largest = 0;
  for (const [i, value] of expected.entries()) {
    // NaN counts as the worst.
    difference = Math.max(difference, Number.isNaN(actual[i]) ? Number.POSITIVE_INFINITY : Math.abs(actual[i] - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference === 0 ? 0 : difference / largest;
}

function assertNear(instance: Instance, call: KernelCall, inputs: Float32Array[], what: string): void {
  const expected = referenceOf(call, inputs);
  for (const [i, actual] of runGuarded(instance, call, inputs, what).entries()) {
    const error = relativeError(actual, expected[i]);
    assert.ok(error <= TOLERANCE, `${what}: output ${i} is off by ${error}`);
  }
}

function assertSame(instance: Instance, call: KernelCall, inputs: Float32Array[], what: string): void {
  const expected = referenceOf(call, inputs);
  for (const [i, actual] of runGuarded(instance, call, inputs, what).entries()) {
    const [a, b] = [new Int32Array(actual.buffer), new Int32Array(expected[i].buffer)];
    const at = a.findIndex((bits, j) => bits !== b[j]);
    assert.equal(at, -1, `${what}: output ${i}, element ${at} is ${actual[at]}, expected ${expected[i][at]}`);
  }
}

/** Channel pairs: all inputs with some outputs and the other way round. */
function* channelPairs(): Generator<[number, number]> {
  for (const [i, channels] of CHANNELS.entries()) {
    yield [channels, CHANNELS[(i + 3) % CHANNELS.length]];
    yield [CHANNELS[(i + 5) % CHANNELS.length], channels];
  }
  yield [16, 32];
  yield [8, 8];
}

export function trainingContract(load: () => Instance): void {
  describe("training kernels", () => {
    const instance = load();

    it("gradients of convolutions are within 1e-5 of the reference", () => {
      for (const window of WINDOWS) {
        for (const [height, width] of IMAGES) {
          for (const [inChannels, outChannels] of channelPairs()) {
            const geometry = geometryOf({ ...window, input: [height, width, inChannels], outChannels });
            if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
            const filter = conv2dBackpropFilterCall(geometry);
            const [x, dy] = [noise(filter.inputs[0], 1), noise(filter.inputs[1], 2)];
            assertNear(instance, filter, [x, dy], `conv2dBackpropFilter, ${nameOf(geometry)}`);
            const weights = noise(filter.outputs[0], 3);
            assertNear(
              instance,
              conv2dBackpropInputCall(geometry),
              [dy, weights],
              `conv2dBackpropInput, ${nameOf(geometry)}`,
            );
          }
        }
      }
    });

    it("gradients of convolutions whose images do not fit one step", () => {
      // 256 KiB per step: some rows of the output at a time, with and without a border; one row at a time, the same.
      for (const options of [
        { input: [70, 64, 12], kernel: [3, 3], outChannels: 12 },
        { input: [150, 64, 8], kernel: [3, 3], outChannels: 16, strides: [2, 2], pad: "valid" },
        { input: [3, 4000, 12], kernel: [2, 3], outChannels: 8 },
        { input: [3, 4000, 12], kernel: [1, 1], outChannels: 8 },
      ] as const) {
        const geometry = geometryOf({ batch: 2, ...options });
        const call = conv2dBackpropFilterCall(geometry);
        assert.ok(call.words[15] < geometry.outHeight, `${call.words[15]} rows at a time`);
        const inputs = [noise(call.inputs[0], 4), noise(call.inputs[1], 5)];
        assertNear(instance, call, inputs, `conv2dBackpropFilter, ${nameOf(geometry)}`);
      }
    });

    it("gradients of depthwise convolutions are within 1e-5 of the reference, multipliers 1, 2, 3", () => {
      for (const window of WINDOWS) {
        for (const [height, width] of IMAGES) {
          for (const inChannels of [...CHANNELS, 36]) {
            for (const multiplier of [1, 2, 3]) {
              const geometry = geometryOf({
                ...window,
                input: [height, width, inChannels],
                outChannels: inChannels * multiplier,
              });
              if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
              const filter = depthwiseBackpropFilterCall(geometry);
              const [x, dy] = [noise(filter.inputs[0], 1), noise(filter.inputs[1], 2)];
              assertNear(instance, filter, [x, dy], `depthwiseBackpropFilter, ${nameOf(geometry)}`);
              const weights = noise(filter.outputs[0], 3);
              const input = depthwiseBackpropInputCall(geometry);
              assertNear(instance, input, [dy, weights], `depthwiseBackpropInput, ${nameOf(geometry)}`);
            }
          }
        }
      }
    });

    it("gradients of max pooling are those of the reference bit for bit, ties, NaN and −Infinity included", () => {
      for (const window of WINDOWS) {
        for (const [height, width] of IMAGES) {
          for (const channels of CHANNELS) {
            const geometry = geometryOf({ ...window, input: [height, width, channels], outChannels: channels });
            if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
            const call = maxPoolGradientCall(geometry);
            const dy = noise(call.inputs[0], 6);
            const tied = steps(call.inputs[1], 7);
            assertSame(instance, call, [dy, tied], `maxPoolGradient, ties, ${nameOf(geometry)}`);
            const awkward = tied.map((v, i) => (i % 3 === 0 ? Number.NaN : i % 5 === 0 ? Number.NEGATIVE_INFINITY : v));
            assertSame(instance, call, [dy, awkward], `maxPoolGradient, NaN, ${nameOf(geometry)}`);
          }
        }
      }
    });

    it("batch normalization and its gradient are those of the reference bit for bit, rows 1…19", () => {
      for (const channels of [...CHANNELS, 2, 32]) {
        for (let rows = 1; rows <= 19; rows++) {
          const what = `${rows} rows of ${channels} channels`;
          const sizes = { rows, channels, epsilon: 1e-3 };
          const n = rows * channels;
          // Beside zero mean: a mean that is large against the spread, which a one-pass variance would lose.
          const x = noise(n, rows).map((value, i) => value + (i % channels) * 100);
          const [gamma, beta] = [noise(channels, 8), noise(channels, 9)];
          gamma[0] = 0;
          assertSame(instance, batchNormTrainCall(sizes), [x, gamma, beta], `batchNormTrain, ${what}`);
          const [, mean, variance] = referenceOf(batchNormTrainCall(sizes), [x, gamma, beta]);
          const call = batchNormTrainGradientCall(sizes);
          assertSame(instance, call, [noise(n, 10), x, gamma, mean, variance], `batchNormTrainGradient, ${what}`);
        }
      }
    });

    it("moments, factors and offsets of channels and their gradients are those of the reference bit for bit, rows 1…19", () => {
      for (const channels of [...CHANNELS, 2, 32]) {
        for (let rows = 1; rows <= 19; rows++) {
          const what = `${rows} rows of ${channels} channels`;
          const sizes = { rows, channels };
          const n = rows * channels;
          const x = noise(n, rows).map((value, i) => value + (i % channels) * 100);
          const [dy, scale, shift] = [noise(n, 12), noise(channels, 13), noise(channels, 14)];
          assertSame(instance, momentsCall(sizes), [x], `moments, ${what}`);
          assertSame(instance, biasGradientCall(sizes), [dy], `biasGradient, ${what}`);
          assertSame(instance, channelAffineCall(sizes), [x, scale, shift], `channelAffine, ${what}`);
          assertSame(instance, channelAffineGradientCall(sizes), [dy, x, scale], `channelAffineGradient, ${what}`);
        }
      }
    });

    it("gradients of clipping are those of the reference bit for bit, both ends included, lengths 0…67", () => {
      const tiny = 2 ** -149;
      for (const [lo, hi] of [
        [0, 6],
        [0, Number.POSITIVE_INFINITY],
        [-0, 1],
        [-1.5, 2.5],
        [2, 2],
        [-3, -1],
        [-tiny, tiny],
      ]) {
        const near = [lo, hi].flatMap((end) => [
          end,
          end * (1 + 2 ** -23),
          end * (1 - 2 ** -23),
          end + tiny,
          end - tiny,
        ]);
        const values = [...near, 0, -0, tiny, -tiny, Number.NaN, Number.NEGATIVE_INFINITY, 3.4e38, 1, 5];
        for (let n = 0; n <= 67; n++) {
          const x = Float32Array.from({ length: n }, (_, i) => values[(i * 5 + n) % values.length]);
          assertSame(instance, clipGradientCall(n, lo, hi), [noise(n, 11), x], `clipGradient, ${n} in (${lo}, ${hi}]`);
        }
      }
    });

    it("DoReFa is that of the reference bit for bit, 0…67 elements, ties of the maximum and zeros included", () => {
      const source = { seed: 3, step: 5, tensor: 7 };
      for (let n = 0; n <= 67; n++) {
        const [dy, plain, tied] = [noise(n, n + 1), noise(n, n + 2), steps(n, n + 3)];
        for (const [i, w] of [plain, tied, tied.map((value) => value * 2 ** -147), new Float32Array(n)].entries()) {
          const what = `${n} elements, weights ${i}`;
          for (const bits of [1, 2, 3, 4, 8, 16]) {
            assertSame(instance, dorefaWeightsCall(n, bits), [w], `dorefaWeights, ${bits} bits, ${what}`);
            const call = dorefaGradientsCall(n, bits, 1, source, n);
            assertSame(instance, call, [w], `dorefaGradients, ${bits} bits, ${what}`);
          }
          assertSame(instance, dorefaWeightsGradientCall(n), [dy, w], `dorefaWeightsGradient, ${what}`);
          assertSame(instance, dorefaActivationsCall(n, 2), [w], `dorefaActivations, ${what}`);
          assertSame(instance, dorefaActivationsGradientCall(n), [dy, w], `dorefaActivationsGradient, ${what}`);
          assertSame(instance, dorefaActivationsCall(n, 2, 6), [w], `dorefaActivations to 6, ${what}`);
          assertSame(instance, dorefaActivationsGradientCall(n, 6), [dy, w], `dorefaActivationsGradient to 6, ${what}`);
          assertSame(instance, signActivationsCall(n), [w], `signActivations, ${what}`);
          assertSame(instance, signActivationsGradientCall(n), [dy, w], `signActivationsGradient, ${what}`);
        }
        const batch = noise(3 * n, n + 4);
        batch.fill(0, n, 2 * n);
        const call = dorefaGradientsCall(3 * n, 4, 3, source, 2 ** 32 - 2);
        assertSame(instance, call, [batch], `dorefaGradients, 3 samples of ${n}`);
      }
    });
  });
}
