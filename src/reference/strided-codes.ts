import { type Shape, sizeOf } from "../core/shape.js";

/**
 * Codes copied one by one from a row-major tensor: the definition of transpose, strided slice and pad.
 *
 *     out[i₀, i₁, …] = input[Σ (start[k] + i[k]·step[k]) · stride of axis[k]]   where 0 ≤ start[k] + i[k]·step[k] < size of axis[k],
 *                      else `fill`
 *
 * input in `shape`, out in `outShape`, written. One entry of `axes` per axis of the output.
 */
function stridedCodes(
  input: Int8Array,
  shape: Shape,
  axes: readonly { readonly axis: number; readonly start: number; readonly step: number }[],
  outShape: Shape,
  out: Int8Array,
  fill: number,
): void {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  // Index along each axis of the output; −1 outside of the input.
  let index = Int32Array.of(0);
  for (const [k, { axis, start, step }] of axes.entries()) {
    const outer = index;
    const size = outShape[k];
    index = new Int32Array(outer.length * size).map((_, i) => {
      const position = start + (i % size) * step;
      const before = outer[Math.floor(i / size)];
      return before < 0 || position < 0 || position >= shape[axis] ? -1 : before + position * strides[axis];
    });
  }
  for (const [i, from] of index.entries()) out[i] = from < 0 ? fill : input[from];
}

/** out[i₀, …] = input[…], where axis k of the output is axis permutation[k] of the input. */
export function transposeCodes(input: Int8Array, shape: Shape, permutation: readonly number[], out: Int8Array): void {
  const axes = permutation.map((axis) => ({ axis, start: 0, step: 1 }));
  stridedCodes(
    input,
    shape,
    axes,
    permutation.map((axis) => shape[axis]),
    out,
    0,
  );
}

/** out[i₀, …] = input[begin[0] + i₀·strides[0], …]; out is row-major in `outShape`. */
export function sliceCodes(
  input: Int8Array,
  shape: Shape,
  { begin, strides }: { readonly begin: readonly number[]; readonly strides: readonly number[] },
  outShape: Shape,
  out: Int8Array,
): void {
  const axes = begin.map((start, axis) => ({ axis, start, step: strides[axis] }));
  stridedCodes(input, shape, axes, outShape, out, 0);
}

/** out[i₀, …] = input[i₀ − padding[0][0], …] where that exists, else the zero point. */
export function padCodes(
  input: Int8Array,
  shape: Shape,
  padding: readonly (readonly [number, number])[],
  zeroPoint: number,
  out: Int8Array,
): void {
  const axes = padding.map(([before], axis) => ({ axis, start: -before, step: 1 }));
  const outShape = shape.map((size, axis) => padding[axis][0] + size + padding[axis][1]);
  stridedCodes(input, shape, axes, outShape, out, zeroPoint);
}
