import { QuantError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { IntegerWeightedNode } from "../../graph/quantized-graph.js";
import { packedLength, unpackBits } from "../../reference/pack-bits.js";
import type { FileTensor } from "./file-model.js";
import { fileError } from "./flatbuffer.js";
import type { GraphUnderWay } from "./read-operator.js";
import { TYPE } from "./schema.js";

type Weights = Pick<IntegerWeightedNode, "weights" | "weightBits" | "weightScales" | "bias"> & {
  readonly weightsShape: readonly number[];
};

/**
 * Weights and bias of an operator. 8-bit codes are a view of the file, and so is the bias where its alignment allows it.
 *
 * Errors: QuantError `invalid-file`; `unsupported` for weights that are computed, of other types, or with zero points, and
 * for scales along another axis.
 */
export function readWeights(
  where: string,
  graph: GraphUnderWay,
  tensors: {
    readonly input: FileTensor;
    readonly weights: FileTensor;
    readonly bias: FileTensor | undefined;
    readonly out: FileTensor;
    readonly channelAxis: number;
  },
): Weights {
  const { input, weights, bias, out, channelAxis } = tensors;
  const unsupported = (what: string): QuantError => new QuantError("unsupported", `${where}: ${what}`);
  const { data, type, shape, scales, zeroPoints } = weights;
  if (data === undefined) throw unsupported("expected constant weights, got computed ones");
  if (type !== TYPE.int8 && type !== TYPE.int4) {
    throw unsupported(`expected int8 or int4 weights, got type ${type}; quantize the model in full`);
  }
  if (scales.length > 1 && weights.axis !== channelAxis) {
    throw unsupported(`expected weight scales along axis ${channelAxis}, got ${weights.axis}`);
  }
  if (zeroPoints.some((zero) => zero !== 0)) {
    throw unsupported(`expected weights with zero point 0, got ${zeroPoints.find((zero) => zero !== 0)}`);
  }
  graph.countUse(data.length + (bias?.data?.length ?? 0));
  return {
    weights:
      type === TYPE.int8 ? new Int8Array(data.buffer, data.byteOffset, data.length) : unpack(data, sizeOf(shape)),
    weightsShape: shape,
    weightBits: type === TYPE.int8 ? 8 : 4,
    weightScales: scales,
    ...biasField(),
  };

  /** A bias of zeros is none: every file of a convolution holds one. */
  function biasField(): { readonly bias?: Int32Array } {
    const values = bias === undefined ? undefined : readBias(bias);
    return values?.some((value) => value !== 0) ? { bias: values } : {};
  }

  function unpack(bytes: Uint8Array, length: number): Int8Array {
    if (bytes.length !== packedLength(length, 4)) {
      throw fileError(`expected ${packedLength(length, 4)} bytes of 4-bit weights, got ${bytes.length}`, where);
    }
    const key = `${bytes.byteOffset}, ${length}`;
    const known = graph.unpacked.get(key);
    if (known !== undefined) return known;
    const codes = new Int8Array(length);
    unpackBits(bytes, 4, codes);
    graph.unpacked.set(key, codes);
    return codes;
  }

  function readBias(tensor: FileTensor): Int32Array {
    if (tensor.data === undefined || tensor.type !== TYPE.int32) {
      throw unsupported(`expected a constant int32 bias, got type ${tensor.type}`);
    }
    // TensorFlow Lite's own tolerance; its kernels, too, then take the bias to be on the grid of the products.
    const off = tensor.scales.findIndex((scale, c) => {
      const product = input.scales[0] * (scales.length > 1 ? scales[c] : scales[0]);
      return !(Math.abs(product - scale) / out.scales[0] <= 0.02);
    });
    if (off >= 0) {
      throw fileError(`expected a bias of scale input · weights, got ${tensor.scales[off]} in channel ${off}`, where);
    }
    const bytes = tensor.data.byteOffset % 4 === 0 ? tensor.data : tensor.data.slice();
    const values = new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
    const channels = shape[channelAxis];
    if (values.length !== channels) throw fileError(`expected a bias of ${channels}, got ${values.length}`, where);
    return values;
  }
}
