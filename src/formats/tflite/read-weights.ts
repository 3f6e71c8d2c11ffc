import { sizeOf } from "../../core/shape.js";
import type { IntegerWeightedNode } from "../../graph/quantized-graph.js";
import { packedLength, unpackBits } from "../../reference/pack-bits.js";
import type { FileTensor } from "./file-model.js";
import type { Expect, GraphUnderWay } from "./read-operator.js";
import { TensorType } from "./schema.js";

type Weights = Pick<IntegerWeightedNode, "weights" | "weightBits" | "weightScales" | "bias"> & {
  readonly weightsShape: readonly number[];
};

/**
 * Weights and bias of an operator. 8-bit codes are a view of the file, and so is the bias where its alignment allows it; a
 * bias of zeros is none, because every file of a convolution holds one. The bias is taken to be on the grid of the products,
 * as TensorFlow Lite's kernels take it, whatever its own scale says.
 *
 * Errors: QuantError `invalid-file`; `unsupported` for weights that are computed, of other types, or with zero points, and
 * for scales along another axis.
 */
export function readWeights(
  expect: Expect,
  graph: GraphUnderWay,
  { data, type, shape, scales, zeroPoints, axis }: FileTensor,
  bias: FileTensor | undefined,
  channelAxis: number,
): Weights {
  const packed = type === TensorType.int4;
  const readable = data !== undefined && (packed || type === TensorType.int8);
  expect(readable, "constant int8 or int4 weights", readable ? "" : `type ${type}`, "unsupported");
  const size = sizeOf(shape);
  const few = scales.length <= size && zeroPoints.length <= scales.length;
  expect(few, `${scales.length} zero points and at most ${size} scales`, zeroPoints.length);
  const along = scales.length < 2 || axis === channelAxis;
  expect(along, `weight scales along axis ${channelAxis}`, axis, "unsupported");
  const symmetric = zeroPoints.every((zero) => zero === 0);
  expect(symmetric, "weights with zero point 0", symmetric ? "" : zeroPoints, "unsupported");
  const bytes = packed ? packedLength(size, 4) : size;
  expect(data.length === bytes, `${bytes} bytes of weights`, data.length);
  graph.countUse(bytes);
  const values = bias === undefined ? undefined : readBias(bias);
  return {
    weights: packed ? unpack(data) : new Int8Array(data.buffer, data.byteOffset, size),
    weightsShape: shape,
    weightBits: packed ? 4 : 8,
    weightScales: scales,
    ...(values?.some((value) => value !== 0) ? { bias: values } : {}),
  };

  function unpack(from: Uint8Array): Int8Array {
    const key = `${from.byteOffset}, ${size}`;
    const known = graph.unpacked.get(key);
    if (known !== undefined) return known;
    const codes = new Int8Array(size);
    unpackBits(from, 4, codes);
    graph.unpacked.set(key, codes);
    return codes;
  }

  function readBias(tensor: FileTensor): Int32Array {
    const constant = tensor.data !== undefined && tensor.type === TensorType.int32;
    expect(constant, "a constant int32 bias", constant ? "" : `type ${tensor.type}`, "unsupported");
    const found = tensor.data as Uint8Array;
    const channels = shape[channelAxis];
    expect(found.length === channels * 4, `a bias of ${channels * 4} bytes`, found.length);
    graph.countUse(found.length);
    const aligned = found.byteOffset % 4 === 0 ? found : found.slice();
    return new Int32Array(aligned.buffer, aligned.byteOffset, channels);
  }
}
