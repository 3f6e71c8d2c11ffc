import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { channelView, sizeOf } from "../../src/core/shape.js";
import * as reference from "../../src/reference/fold-batch-norm.js";
import { type BatchNormInput, foldBatchNorm } from "../../src/wasm/fold-batch-norm.js";
import { residentArray } from "../../src/wasm/resident-array.js";
import { everyShapeAndAxis } from "./awkward-values.js";
import { assertSameBytes, guarded } from "./bytes.js";

/** What src/reference gives for a layer. */
function define(layer: BatchNormInput, shape: number[], axis: number): { weights: Float32Array; bias: Float32Array } {
  const view = channelView(shape, axis);
  const { channels } = view;
  const zeros = new Float32Array(channels);
  const k = new Float32Array(channels);
  const weights = new Float32Array(layer.weights.length);
  const bias = new Float32Array(channels);
  reference.foldBatchNormScale(layer.gamma ?? zeros.slice().fill(1), layer.variance, Math.fround(layer.epsilon), k);
  reference.foldBatchNormWeights(layer.weights, k, view, weights);
  reference.foldBatchNormBias(layer.bias ?? zeros, layer.mean, k, layer.beta ?? zeros, bias);
  return { weights, bias };
}

/** A layer of plain numbers, with γ = 0 and variance 0 in some channels. */
function layerOf(size: number, channels: number): Required<BatchNormInput> {
  const wave = (length: number, step: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => Math.sin(i * step + step) * 3);
  return {
    weights: wave(size, 1.3),
    bias: wave(channels, 0.7),
    gamma: wave(channels, 1.9).map((v, c) => (c % 4 === 1 ? 0 : v)),
    beta: wave(channels, 2.3),
    mean: wave(channels, 3.1),
    variance: wave(channels, 0.9).map((v, c) => (c % 3 === 2 ? 0 : v * v)),
    epsilon: 1e-3,
  };
}

function compare(layer: BatchNormInput, shape: number[], axis: number): void {
  const what = `foldBatchNorm, shape [${shape}], axis ${axis}`;
  const expected = define(layer, shape, axis);
  const entries = Object.entries(layer).map(([name, value]) => [
    name,
    value instanceof Float32Array ? guarded(value) : value,
  ]);
  const placed = Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "object" ? value.array : value]),
  );
  const folded = foldBatchNorm(placed, { shape, axis });
  assertSameBytes(folded.weights, expected.weights, `${what}, weights`);
  assertSameBytes(folded.bias, expected.bias, `${what}, bias`);
  for (const [name, value] of entries) {
    if (typeof value !== "object") continue;
    assertSameBytes(value.array, layer[name as "weights"], `${what}: ${name} was changed`);
    value.check(`${what}, ${name}`);
  }
}

/** The part of the kernel contract about batch-norm folding. */
export function foldBatchNormContract(): void {
  describe("foldBatchNorm", () => {
    it("every axis of many shapes, with and without the optional arrays", () => {
      for (const { shape, axis } of everyShapeAndAxis()) {
        const layer = layerOf(sizeOf(shape), shape[axis]);
        compare(layer, shape, axis);
        const { weights, mean, variance, epsilon } = layer;
        compare({ weights, mean, variance, epsilon }, shape, axis);
      }
    });

    it("lengths 0…67", () => {
      for (let n = 0; n <= 67; n++) {
        compare(layerOf(n, 1), [n, 1], 1);
        compare(layerOf(3 * n, 3), [n, 3], 1);
        compare(layerOf(n, n), [n], 0);
      }
    });

    it("arrays of several blocks", () => {
      compare(layerOf(100_010, 10), [10_001, 10], 1);
      compare(layerOf(105_063, 3), [7, 3, 5003], 1);
    });

    it("gamma 0 and variance 0 stay finite", () => {
      const layer = layerOf(64, 16);
      const folded = foldBatchNorm(
        { ...layer, gamma: new Float32Array(16), variance: new Float32Array(16) },
        { shape: [4, 16], axis: -1 },
      );
      assert.equal(
        folded.weights.every((w) => w === 0),
        true,
      );
      assert.deepEqual(folded.bias, layer.beta);
    });

    it("resident arrays", () => {
      const shape = [100, 10];
      const layer = layerOf(1000, 10);
      const expected = define(layer, shape, 1);
      const residents = Object.entries(layer).flatMap(([name, value]) => {
        if (typeof value === "number") return [];
        const resident = residentArray("float32", value.length);
        resident.array.set(value);
        return [[name, resident] as const];
      });
      const arrays = Object.fromEntries(residents.map(([name, { array }]) => [name, array]));
      const folded = foldBatchNorm({ ...layer, ...arrays }, { shape, axis: 1 });
      assertSameBytes(folded.weights, expected.weights, "weights");
      assertSameBytes(folded.bias, expected.bias, "bias");
      for (const [, resident] of residents) resident.dispose();
    });

    it("any layer", () => {
      // Magnitudes whose products stay finite: which NaN comes from Infinity · 0 is not defined.
      const value = fc.float({ min: Math.fround(-1e9), max: Math.fround(1e9), noNaN: true });
      const positive = fc.float({ min: 0, max: Math.fround(1e9), noNaN: true });
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 20 }).chain((channels) => {
            const list = (item: fc.Arbitrary<number>, length: number) =>
              fc.array(item, { minLength: length, maxLength: length });
            return fc.record({
              weights: list(value, channels * 5),
              bias: list(value, channels),
              gamma: list(value, channels),
              beta: list(value, channels),
              mean: list(value, channels),
              variance: list(positive, channels),
              epsilon: fc.float({ min: Math.fround(1e-12), max: 1, noNaN: true }),
            });
          }),
          ({ epsilon, ...lists }) => {
            const arrays = Object.fromEntries(
              Object.entries(lists).map(([name, list]) => [name, Float32Array.from(list)]),
            );
            const layer = { ...(arrays as unknown as BatchNormInput), epsilon };
            const channels = layer.mean.length;
            compare(layer, [5, channels], 1);
            compare(layer, [channels, 5], 0);
          },
        ),
      );
    });
  });
}
