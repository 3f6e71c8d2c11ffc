import type { Grid } from "../../src/core/grid.js";
import { gridOf } from "../../src/core/grid.js";
import type { QuantParams } from "../../src/core/quant-params.js";

// The values and parameters where roundings, comparisons and conversions go wrong.

/** Floats by their bits: quiet and signalling NaNs of both signs, infinities, zeros, subnormals, ends of the range. */
const SPECIAL_BITS = [
  0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffbfffff, 0x7f800000, 0xff800000, 0x00000000,
  0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,
];
/** Quotients at which a way of rounding or converting ends: 2^22, 2^23, 2^24, 2^31, 2^51, 2^63, and 2^20. */
const LIMITS = [20, 22, 23, 24, 31, 32, 51, 52, 63].flatMap((e) => [2 ** e, 2 ** e - 1, 2 ** e + 1, 1.5 * 2 ** e]);

/** The float32 that is `ulps` above x. */
export function neighbour(x: number, ulps: number): number {
  const float = Float32Array.of(x);
  const bits = new Int32Array(float.buffer);
  // Negative floats count downwards from the sign bit.
  const ordinal = (bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0]) + ulps;
  bits[0] = ordinal < 0 ? -2147483648 | -ordinal : ordinal;
  return float[0];
}

/** Bits of awkward float32 inputs under one scale and zero point. */
export function awkwardBits(scale: number, zeroPoint: number, { qmin, qmax }: Grid): Uint32Array {
  const steps = new Set<number>();
  for (const k of [qmin - zeroPoint, qmax - zeroPoint, 0, Math.trunc((qmin + qmax) / 2) - zeroPoint]) {
    for (let d = -3; d <= 3; d++) steps.add(k + d);
  }
  const values = LIMITS.flatMap((limit) => [limit * scale, -limit * scale, limit, -limit]);
  for (const k of steps) {
    for (const tie of [k * scale, (k + 0.5) * scale]) {
      for (let ulps = -2; ulps <= 2; ulps++)
        values.push(Number.isFinite(Math.fround(tie)) ? neighbour(tie, ulps) : tie);
    }
  }
  const floats = new Uint32Array(Float32Array.from(values).buffer);
  const all = new Uint32Array(SPECIAL_BITS.length + floats.length);
  all.set(SPECIAL_BITS);
  all.set(floats, SPECIAL_BITS.length);
  return all;
}

/** `length` float32 taken from awkward bits, each next one `stride` further, so that they fall on all lanes. */
export function fromBits(bits: Uint32Array, length: number, stride = 7): Float32Array {
  const out = new Uint32Array(length);
  for (let i = 0; i < length; i++) out[i] = bits[(i * stride) % bits.length];
  return new Float32Array(out.buffer);
}

/** Every grid: bits 1…16, signed, unsigned, narrow. */
export function everyGrid(): Grid[] {
  const grids: Grid[] = [];
  for (let bits = 1; bits <= 16; bits++) {
    grids.push(gridOf("test", { bits }), gridOf("test", { bits, signed: false }));
    if (bits > 1) grids.push(gridOf("test", { bits, narrowRange: true }));
  }
  return grids;
}

export const SCALES = [2 ** -149, 2 ** -126, 1e-30, 0.003, 0.1, 1 / 3, 1, 0.75, 12345.678, 1e30, 1e38, 3.4e38].map(
  Math.fround,
);

/** The zero points at the ends and in the middle of a grid. */
export function zeroPointsOf({ qmin, qmax }: Grid): number[] {
  return [...new Set([qmin, Math.trunc((qmin + qmax) / 2), qmax])];
}

/** Shapes and axes: channels 1, 3, 5, 10, 16, 24 and more; rows of 1, of few, of 64 and more; patterns longer than x. */
export function everyShapeAndAxis(): { shape: number[]; axis: number }[] {
  const shapes = [
    [1],
    [5],
    [67],
    [1, 7],
    [7, 1],
    [3, 4],
    [10, 24],
    [24, 10],
    [1, 100],
    [16, 16],
    [2, 3, 5],
    [4, 16, 3],
    [2, 3, 64],
    [3, 5, 70],
    [2, 10, 1, 9],
    [24, 3, 3, 5],
    [3, 3, 5, 16],
    [2, 0, 3],
  ];
  return shapes.flatMap((shape) => shape.map((_, axis) => ({ shape, axis })));
}

/** Parameters with different scales and zero points for each channel, deterministic. */
export function channelParams(grid: Grid, channels: number, axis: number): QuantParams {
  const zeroPoints = zeroPointsOf(grid);
  return {
    ...grid,
    axis,
    scale: Float32Array.from({ length: channels }, (_, c) => SCALES[(c * 5 + 3) % SCALES.length]),
    zeroPoint: Int32Array.from({ length: channels }, (_, c) => zeroPoints[c % zeroPoints.length]),
  };
}

/** Awkward bits for every channel of parameters. */
export function channelBits(params: QuantParams): Uint32Array {
  const { scale, zeroPoint } = params;
  if (typeof scale === "number" || typeof zeroPoint === "number")
    return awkwardBits(scale as number, zeroPoint as number, params);
  const sets = new Set<number>();
  for (let c = 0; c < Math.min(scale.length, 12); c++) {
    for (const bits of awkwardBits(scale[c], zeroPoint[c], params)) sets.add(bits);
  }
  return Uint32Array.from(sets.size > 0 ? sets : SPECIAL_BITS);
}
