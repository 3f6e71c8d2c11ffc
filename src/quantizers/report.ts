import type { Granularity } from "../core/granularity.js";
import { bitsOf } from "../core/grid.js";
import type { Shape } from "../core/shape.js";
import type { QuantizedTensor, Tensor } from "../core/tensor.js";
import { dequantize } from "../wasm/dequantize.js";

/** What became of one tensor. */
export interface TensorReport {
  readonly name: string;
  readonly shape: Shape;
  /** Bits per element after: 32 when untouched. */
  readonly bits: number;
  readonly granularity?: Granularity;
  readonly bytesBefore: number;
  /** Codes and scales as files store them: in tfjs models one byte per code, elsewhere 1, 2 and 4 bits are packed. */
  readonly bytesAfter: number;
  /** Signal to quantization noise ratio, 10·log10(Σx² / Σ(x − x̂)²), in dB; Infinity when nothing was lost. */
  readonly sqnr: number;
  /** Smallest and largest scale. */
  readonly scales?: readonly [number, number];
}

/** What compress did, tensor by tensor. */
export interface Report {
  readonly tensors: readonly TensorReport[];
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Signal to quantization noise ratio in dB, summed in float64. */
export function sqnr(x: Float32Array, approximation: Float32Array): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < x.length; i++) {
    signal += x[i] * x[i];
    noise += (x[i] - approximation[i]) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** Report of a tensor that was quantized. `bytesAfter` includes the scales. */
export function quantizedReport(name: string, before: Tensor, after: QuantizedTensor): TensorReport {
  const { params, shape } = after;
  const bits = bitsOf(params);
  const scales = typeof params.scale === "number" ? Float32Array.of(params.scale) : params.scale;
  const stored = bits === 1 || bits === 2 || bits === 4 ? bits : 8 * after.data.BYTES_PER_ELEMENT;
  return {
    name,
    shape,
    bits,
    granularity: params.axis === undefined ? "perTensor" : "perChannel",
    bytesBefore: before.data.byteLength,
    bytesAfter: Math.ceil((after.data.length * stored) / 8) + scales.byteLength,
    sqnr: sqnr(before.data, dequantize(after.data, params, { shape })),
    scales: [scales.reduce((a, b) => Math.min(a, b)), scales.reduce((a, b) => Math.max(a, b))],
  };
}

/** Report of a tensor that stays float32. */
export function untouchedReport(name: string, { data, shape }: Tensor): TensorReport {
  return {
    name,
    shape,
    bits: 32,
    bytesBefore: data.byteLength,
    bytesAfter: data.byteLength,
    sqnr: Number.POSITIVE_INFINITY,
  };
}

/** Totals over tensors. */
export function reportOf(tensors: readonly TensorReport[]): Report {
  let bytesBefore = 0;
  let bytesAfter = 0;
  for (const tensor of tensors) {
    bytesBefore += tensor.bytesBefore;
    bytesAfter += tensor.bytesAfter;
  }
  return { tensors, bytesBefore, bytesAfter };
}
