import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Codes, codesFor, type Grid, gridOf } from "../../src/core/grid.js";
import { type QuantParams, type ResolvedParams, resolveParams } from "../../src/core/quant-params.js";
import { sizeOf } from "../../src/core/shape.js";
import * as reference from "../../src/reference/dequantize.js";
import { fakeQuantize as defineFakeQuantize } from "../../src/reference/fake-quantize.js";
import { fakeQuantizeGradient as defineGradient } from "../../src/reference/fake-quantize-gradient.js";
import { quantize as defineQuantize } from "../../src/reference/quantize.js";
import type { KernelArray } from "../../src/wasm/blocks.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/wasm/fake-quantize-gradient.js";
import { quantize } from "../../src/wasm/quantize.js";
import { residentArray } from "../../src/wasm/resident-array.js";
import {
  awkwardBits,
  channelBits,
  channelParams,
  everyGrid,
  everyShapeAndAxis,
  fromBits,
  SCALES,
  zeroPointsOf,
} from "./awkward-values.js";
import { assertSameBytes, bytesOf, guarded, snapshot } from "./bytes.js";

/** An elementwise function beside its definition. */
interface Operation {
  readonly name: string;
  /** The function's inputs, made from awkward floats. */
  inputs(x: Float32Array, grid: Grid): KernelArray[];
  output(grid: Grid, length: number): KernelArray;
  call(inputs: KernelArray[], params: QuantParams, options: { shape?: number[]; out?: KernelArray }): KernelArray;
  define(inputs: KernelArray[], params: ResolvedParams, out: KernelArray): void;
  /** Inputs that `out` may be. */
  readonly inPlace: readonly number[];
}

/** Codes of the grid's type: all that the type holds, in and outside of [qmin, qmax]. */
function everyCode(grid: Grid, length: number): Codes {
  const codes = codesFor(grid, length);
  for (let i = 0; i < length; i++) codes[i] = grid.qmin - 5 + i * 37;
  return codes;
}

/**
 * Gradients: quiet NaNs, infinities and zeros among ordinary numbers. No signalling NaN: reading one in JavaScript makes it
 * quiet on some processors, while kernels copy its bits.
 */
function gradients(length: number): Float32Array {
  const bits = new Uint32Array(length);
  const pool = [0x3f800000, 0xbf000000, 0x80000000, 0x7fc00000, 0x7f800000, 0xff800000, 0x00000001, 0xc2f6e979];
  for (let i = 0; i < length; i++) bits[i] = pool[(i * 3) % pool.length];
  return new Float32Array(bits.buffer);
}

const floats = (_grid: Grid, length: number): Float32Array => new Float32Array(length);

const OPERATIONS: readonly Operation[] = [
  {
    name: "quantize",
    inputs: (x) => [x],
    output: codesFor,
    call: ([x], params, options) => quantize(x as Float32Array, params, options as { out?: Codes }),
    define: ([x], params, out) => defineQuantize(x as Float32Array, params, out as Codes),
    inPlace: [],
  },
  {
    name: "dequantize",
    inputs: (x, grid) => [everyCode(grid, x.length)],
    output: floats,
    call: ([q], params, options) => dequantize(q as Codes, params, options as { out?: Float32Array }),
    define: ([q], params, out) => reference.dequantize(q as Codes, params, out as Float32Array),
    inPlace: [],
  },
  {
    name: "fakeQuantize",
    inputs: (x) => [x],
    output: floats,
    call: ([x], params, options) => fakeQuantize(x as Float32Array, params, options as { out?: Float32Array }),
    define: ([x], params, out) => defineFakeQuantize(x as Float32Array, params, out as Float32Array),
    inPlace: [0],
  },
  {
    name: "fakeQuantizeGradient",
    inputs: (x) => [gradients(x.length), x],
    output: floats,
    call: ([dy, x], params, options) =>
      fakeQuantizeGradient(dy as Float32Array, x as Float32Array, params, options as { out?: Float32Array }),
    define: ([dy, x], params, out) =>
      defineGradient(dy as Float32Array, x as Float32Array, params, out as Float32Array),
    inPlace: [0, 1],
  },
];

/** Compares one call with the definition: bytes of the result, inputs untouched, canaries alive, `out` or a fresh array. */
function compare(
  operation: Operation,
  x: Float32Array,
  params: QuantParams,
  shape: number[] | undefined,
  what: string,
): void {
  const options = shape === undefined ? {} : { shape };
  const inputs = operation.inputs(x, params);
  const expected = operation.output(params, x.length);
  operation.define(inputs, resolveParams(operation.name, params, x.length, options), expected);

  const places = inputs.map((input) => guarded(input));
  const arrays = places.map(({ array }) => array);
  const before = arrays.map(snapshot);
  assertSameBytes(operation.call(arrays, params, options), expected, `${what}, fresh`);

  const target = guarded(operation.output(params, x.length).fill(-1));
  assert.equal(operation.call(arrays, params, { ...options, out: target.array }), target.array);
  assertSameBytes(target.array, expected, `${what}, out`);
  target.check(what);
  for (const [i, array] of arrays.entries()) {
    assert.deepEqual(bytesOf(array), before[i], `${what}: input ${i} was changed`);
    places[i].check(`${what}, input ${i}`);
  }

  for (const i of operation.inPlace) {
    const own = inputs.map((input) => guarded(input));
    operation.call(
      own.map(({ array }) => array),
      params,
      { ...options, out: own[i].array },
    );
    assertSameBytes(own[i].array, expected, `${what}, in place of input ${i}`);
    own[i].check(`${what}, in place`);
  }
}

/** Compares calls whose arrays lie in linear memory, in every combination, at odd elements of residents. */
function compareResident(
  operation: Operation,
  x: Float32Array,
  params: QuantParams,
  shape: number[] | undefined,
): void {
  const options = shape === undefined ? {} : { shape };
  const inputs = operation.inputs(x, params);
  const expected = operation.output(params, x.length);
  operation.define(inputs, resolveParams(operation.name, params, x.length, options), expected);
  const arrays = [...inputs, expected];
  for (let mask = 1; mask < 2 ** arrays.length; mask++) {
    const what = `${operation.name}, ${x.length} elements, residents ${mask.toString(2)}`;
    const residents = arrays.map((array, i) => ((mask >> i) & 1 ? residentLike(array) : undefined));
    const place = (i: number): KernelArray => residents[i]?.inner() ?? arrays[i].slice();
    for (const [i, input] of inputs.entries()) residents[i]?.inner().set(input as Codes);
    for (const [i, input] of inputs.entries()) if (residents[i] !== undefined) bytesOf(place(i)).set(bytesOf(input));
    const out = place(inputs.length).fill(-1);
    const result = operation.call(
      inputs.map((_, i) => place(i)),
      params,
      { ...options, out },
    );
    assertSameBytes(result, expected, what);
    assertSameBytes(residents[inputs.length]?.inner() ?? out, expected, what);
    for (const resident of residents) {
      resident?.check(what);
      resident?.dispose();
    }
  }
}

/** A resident with a margin of canaries, and the part of it that is as long as `array`, at an odd element. */
function residentLike(array: KernelArray) {
  const margin = 5;
  const type = array.constructor.name.replace("Array", "").toLowerCase() as "float32";
  const resident = residentArray(type, array.length + 2 * margin);
  resident.array.fill(77);
  return {
    inner: () => resident.array.subarray(margin, margin + array.length) as KernelArray,
    check(what: string) {
      const all = resident.array;
      const edges = [...all.subarray(0, margin), ...all.subarray(margin + array.length)];
      assert.deepEqual(edges, Array(2 * margin).fill(77), `${what}: canaries of a resident`);
    },
    dispose: () => resident.dispose(),
  };
}

const int8 = gridOf("test", { bits: 8 });
const uint16 = gridOf("test", { bits: 16, signed: false });

/** The elementwise part of the kernel contract. */
export function elementwiseContract(): void {
  for (const operation of OPERATIONS) {
    describe(operation.name, () => {
      it("lengths 0…67 at odd offsets, per tensor", () => {
        for (const grid of [int8, uint16, gridOf("test", { bits: 4, signed: false }), gridOf("test", { bits: 12 })]) {
          const params = { ...grid, scale: Math.fround(0.1), zeroPoint: grid.qmin + 3 };
          const bits = awkwardBits(params.scale, params.zeroPoint, grid);
          for (let n = 0; n <= 67; n++)
            compare(operation, fromBits(bits, n, 7 + n), params, undefined, `${operation.name}, length ${n}`);
        }
      });

      it("ties, neighbours and extremes on every grid, zero point and scale", () => {
        for (const grid of everyGrid()) {
          for (const zeroPoint of zeroPointsOf(grid)) {
            for (const scale of SCALES) {
              const bits = awkwardBits(scale, zeroPoint, grid);
              const what = `${operation.name}, [${grid.qmin}, ${grid.qmax}], scale ${scale}, zeroPoint ${zeroPoint}`;
              const x = fromBits(bits, bits.length, 1);
              const expected = operation.output(grid, x.length);
              const params = { ...grid, scale, zeroPoint };
              const inputs = operation.inputs(x, grid);
              operation.define(inputs, resolveParams("test", params, x.length), expected);
              assertSameBytes(operation.call(inputs, params, {}), expected, what);
            }
          }
        }
      });

      it("per channel on every axis of many shapes", () => {
        for (const grid of [
          int8,
          uint16,
          gridOf("test", { bits: 3, narrowRange: true }),
          gridOf("test", { bits: 16 }),
        ]) {
          for (const { shape, axis } of everyShapeAndAxis()) {
            const params = channelParams(grid, shape[axis], axis);
            const x = fromBits(channelBits(params), sizeOf(shape), 11);
            compare(
              operation,
              x,
              params,
              shape,
              `${operation.name}, shape [${shape}], axis ${axis}, qmax ${grid.qmax}`,
            );
          }
        }
      });

      it("lengths 0…67 per channel: three channels in turn, and a channel for each element", () => {
        for (let n = 0; n <= 67; n++) {
          for (const shape of [[n, 3], [n]]) {
            const axis = shape.length - 1;
            const params = channelParams(int8, shape[axis], axis);
            const x = fromBits(channelBits(params), sizeOf(shape), 5 + n);
            compare(operation, x, params, shape, `${operation.name}, shape [${shape}]`);
          }
        }
      });

      it("a scalar scale or zero point serves every channel; a negative axis counts from the end", () => {
        const shape = [4, 10, 3];
        const x = fromBits(awkwardBits(0.5, 1, int8), sizeOf(shape));
        const scale = Float32Array.from({ length: 10 }, (_, c) => SCALES[c % SCALES.length]);
        const zeroPoint = Int32Array.from({ length: 10 }, (_, c) => c - 5);
        compare(operation, x, { ...int8, scale, zeroPoint: 4, axis: -2 }, shape, `${operation.name}, one zero point`);
        compare(operation, x, { ...int8, scale: 0.5, zeroPoint, axis: 1 }, shape, `${operation.name}, one scale`);
      });

      it("arrays of several blocks", () => {
        const cases: { shape: number[]; axis: number }[] = [
          { shape: [100_003], axis: 0 },
          { shape: [10_001, 10], axis: 1 },
          { shape: [7, 3, 5003], axis: 1 },
          { shape: [3001, 7, 5], axis: 1 },
          { shape: [2, 25_013, 2], axis: 1 },
        ];
        for (const { shape, axis } of cases) {
          const params: QuantParams =
            shape.length === 1 ? { ...int8, scale: 0.75, zeroPoint: -3 } : channelParams(int8, shape[axis], axis);
          const x = fromBits(channelBits(params), sizeOf(shape));
          compare(operation, x, params, shape, `${operation.name}, shape [${shape}], axis ${axis}`);
        }
      });

      it("resident arrays in every position", () => {
        const perTensor = { ...int8, scale: Math.fround(0.1), zeroPoint: 5 };
        for (const n of [0, 1, 15, 16, 67, 40_001]) {
          compareResident(operation, fromBits(channelBits(perTensor), n), perTensor, undefined);
        }
        for (const { shape, axis } of [
          { shape: [3, 5, 70], axis: 1 },
          { shape: [4001, 10], axis: 1 },
        ]) {
          const params = channelParams(uint16, shape[axis], axis);
          compareResident(operation, fromBits(channelBits(params), sizeOf(shape)), params, shape);
        }
      });

      it("any bits under any parameters", () => {
        fc.assert(
          fc.property(anyCase(), ({ bits, shape, axis, params }) => {
            const x = fromBits(Uint32Array.from(bits), sizeOf(shape), 1);
            compare(operation, x, { ...params, axis }, shape, operation.name);
          }),
          { numRuns: 250 },
        );
      });
    });
  }
}

/** A shape, an axis, parameters per channel, and as many float32 bit patterns. */
function anyCase(): fc.Arbitrary<{ bits: number[]; shape: number[]; axis: number; params: QuantParams }> {
  return fc
    .record({
      shape: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
      pick: fc.nat(),
      grid: fc.constantFrom(...everyGrid()),
    })
    .chain(({ shape, pick, grid }) => {
      const axis = pick % shape.length;
      const channels = { minLength: shape[axis], maxLength: shape[axis] };
      return fc
        .record({
          scale: fc.array(fc.float({ min: Math.fround(2 ** -149), noNaN: true, noDefaultInfinity: true }), channels),
          zeroPoint: fc.array(fc.integer({ min: grid.qmin, max: grid.qmax }), channels),
          // Half of the patterns are small multiples of a quarter, which hit codes and ties of scales near 1.
          bits: fc.array(
            fc.oneof(
              fc.integer({ min: 0, max: 2 ** 32 - 1 }),
              fc.integer({ min: -600, max: 600 }).map((k) => new Uint32Array(Float32Array.of(k / 4).buffer)[0]),
            ),
            { minLength: sizeOf(shape), maxLength: sizeOf(shape) },
          ),
        })
        .map(({ scale, zeroPoint, bits }) => ({
          bits,
          shape,
          axis,
          params: { ...grid, scale: Float32Array.from(scale), zeroPoint: Int32Array.from(zeroPoint) },
        }));
    });
}
