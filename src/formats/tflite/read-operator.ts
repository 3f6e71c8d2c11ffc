import type { QuantErrorCode } from "../../core/errors.js";
import { expectThat, quoted } from "../../core/expect-that.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { QuantizedNode } from "../../graph/quantized-graph.js";
import { MAX_RANK } from "../../graph/quantized-shapes.js";
import { sameShape } from "../../graph/same-shape.js";
import type { FusedActivation, Padding, Pair } from "../../graph/types.js";
import type { FileOperator, FileTensor } from "./file-model.js";
import { operatorName } from "./operator-names.js";
import { readWeights } from "./read-weights.js";
import { ACTIVATIONS, FORMS, Op, PADDINGS, TensorType } from "./schema.js";

/** What reading an operator needs of the graph that is being read. */
export interface GraphUnderWay {
  /** The tensor at an index of the file. */
  tensor(index: number): FileTensor;
  /** Name in the graph of a tensor that stands before the operator: an input, an output of another, or a constant. */
  source(where: string, index: number): string;
  /** Name in the graph of a tensor that the operator gives. */
  result(where: string, index: number): string;
  /** Name of a new tensor between two nodes, with a shape of its own and the rest from a tensor of the file. */
  between(index: number, shape: Shape): string;
  /** Unpacked 4-bit weights by place and size, so that layers that use them together hold them once. */
  readonly unpacked: Map<string, Int8Array>;
  /** Counts bytes of weights that a node uses. */
  countUse(bytes: number): void;
  /** Sets the smallest code of a tensor. */
  clamp(name: string, code: number): void;
}

/** Checks something about an operator; the error begins with where it is. */
export type Expect = (fits: boolean, expected: string, actual: unknown, code?: QuantErrorCode) => asserts fits;

/** A node without its names. */
type Fields = QuantizedNode extends infer N
  ? N extends QuantizedNode
    ? Omit<N, "name" | "inputs" | "output">
    : never
  : never;

/**
 * The nodes of one operator: one, or two where a slice drops axes.
 *
 * MAXIMUM with a constant becomes an int8 `quantize` that clamps; readGraph then gives its clamp to the node before it.
 *
 * Errors: QuantError `invalid-file`; `unsupported`, naming the operator, for those that QuantizedGraph does not have.
 */
export function readOperator(operator: FileOperator, graph: GraphUnderWay): QuantizedNode[] {
  const { code, inputs, outputs, options } = operator;
  const kind = operatorName(operator);
  const out = graph.tensor(outputs[0]);
  const where = `readTflite: ${kind} ${quoted(out.name)}`;
  const expect: Expect = (fits, expected, actual, code = "invalid-file") =>
    expectThat(fits, code, where, expected, actual);
  /** Checks what files may hold, but this library does not. */
  const need: (fits: boolean, expected: string, actual: unknown) => asserts fits = (fits, expected, actual) =>
    expect(fits, expected, actual, "unsupported");
  expect(outputs.length === 1, "one output", outputs.length);
  const [fewest, most] = FORMS[code] ?? [0, -1];
  need(most >= 0, "an operator of those in docs/formats.md", kind);
  expect(inputs.length >= fewest && inputs.length <= most, `${fewest} to ${most} inputs`, inputs.length);
  const input = (i: number): FileTensor => graph.tensor(inputs[i]);
  if (code !== Op.quantize && code !== Op.dequantize) {
    const floats = [input(0), out].filter(({ type }) => type === TensorType.float32);
    need(floats.length === 0, "int8 weights and activations", "float32; quantize the model in full");
  }

  const ints = (i: number): number[] => {
    const { data, type, shape } = input(i);
    const bytes = type === TensorType.int64 ? 8 : 4;
    const constant = data !== undefined && (bytes === 8 || type === TensorType.int32);
    need(constant, `constant integers as input ${i}`, constant ? "" : `type ${type}`);
    const size = sizeOf(shape);
    // Pairs of all axes at most: operators may share a constant, and each would read a long one.
    expect(size <= 2 * MAX_RANK, `at most ${2 * MAX_RANK} integers as input ${i}`, size);
    expect(data.length === size * bytes, `${size} integers as input ${i}`, data.length / bytes);
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    return Array.from({ length: data.length / bytes }, (_, n) =>
      bytes === 8 ? Number(view.getBigInt64(n * 8, true)) : view.getInt32(n * 4, true),
    );
  };
  const fromEnd = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
  const activation = (n: number): FusedActivation => {
    const found = ACTIVATIONS[n];
    need(found !== undefined, "a fused activation NONE, RELU or RELU6", n);
    return found;
  };
  const padding = (n: number): Padding => {
    expect(n === 0 || n === 1, "padding 0 or 1", n);
    return PADDINGS[n];
  };
  const expectShape = (shape: Shape): void =>
    expect(sameShape(shape, out.shape), `output [${shape.join(", ")}]`, out.shape);
  const weights = (channelAxis: number) => {
    const bias = inputs.length > 2 && inputs[2] >= 0 ? input(2) : undefined;
    return readWeights(expect, graph, input(1), bias, channelAxis);
  };

  /** Which inputs the node reads; the others are constants that become fields. */
  let reads = [0];
  /** Shape of what a slice gives before axes are dropped, where some are. */
  let sliced: Shape | undefined;
  let least: number | undefined;
  const fields = ((): Fields => {
    switch (code as Op) {
      case Op.conv2d:
      case Op.depthwiseConv2d: {
        const depthwise = code === Op.depthwiseConv2d;
        // The option depth_multiplier, at 3, says what the shapes say.
        const [pad, strideWidth, strideHeight, ...rest] = options;
        const [fused, dilationWidth, dilationHeight] = depthwise ? rest.slice(1) : rest;
        const read = weights(depthwise ? 3 : 0);
        const { weightsShape: shape } = read;
        const channels = input(0).shape[3];
        expect(shape.length === 4 && (!depthwise || shape[0] === 1), "weights of 4 sizes", shape);
        const grouped = !depthwise && channels > shape[3] && channels % shape[3] === 0;
        need(!grouped, "a convolution without groups", `weights [${shape.join(", ")}]`);
        const geometry: { strides: Pair; dilations: Pair; padding: Padding; activation: FusedActivation } = {
          strides: [strideHeight, strideWidth],
          padding: padding(pad),
          dilations: [dilationHeight, dilationWidth],
          activation: activation(fused),
        };
        const [out, kh, kw, last] = shape;
        if (!depthwise) return { op: "conv2d", ...read, ...geometry, weightsShape: [out, kh, kw, last] };
        const multiplier = last / channels;
        return { op: "depthwiseConv2d", ...read, ...geometry, weightsShape: [kh, kw, last], multiplier };
      }
      case Op.fullyConnected: {
        const [fused, format, keepDims] = options;
        need(format === 0, "weights that are not shuffled", format);
        const read = weights(0);
        const [out, depth] = read.weightsShape;
        expect(read.weightsShape.length === 2, "weights of 2 sizes", read.weightsShape);
        const shape = [out, depth] as const;
        return {
          op: "fullyConnected",
          ...read,
          weightsShape: shape,
          activation: activation(fused),
          keepDims: keepDims !== 0,
        };
      }
      case Op.add:
      case Op.sub:
      case Op.mul: {
        reads = [0, 1];
        const op = code === Op.add ? "add" : code === Op.sub ? "subtract" : "multiply";
        return { op, activation: activation(options[0]) };
      }
      case Op.concatenation:
        reads = [...inputs.keys()];
        need(activation(options[1]) === "linear", "no fused activation", options[1]);
        return { op: "concat", axis: fromEnd(options[0], out.shape.length) };
      case Op.averagePool2d:
      case Op.maxPool2d: {
        const [pad, strideWidth, strideHeight, width, height, fused] = options;
        return {
          op: code === Op.maxPool2d ? "maxPool2d" : "averagePool2d",
          poolSize: [height, width],
          strides: [strideHeight, strideWidth],
          padding: padding(pad),
          activation: activation(fused),
        };
      }
      case Op.mean: {
        const axes = new Set(ints(1).map((axis) => fromEnd(axis, input(0).shape.length)));
        return { op: "mean", axes: [...axes].sort((a, b) => a - b), keepDims: options[0] !== 0 };
      }
      case Op.pad:
      case Op.padV2: {
        const zero = out.zeroPoints[0] ?? 0;
        const value = code === Op.pad ? zero : codeOf(input(2));
        need(value === zero, `padding with the zero point ${zero}`, value);
        const sizes = ints(1);
        return { op: "pad", padding: input(0).shape.map((_, i): Pair => [sizes[2 * i], sizes[2 * i + 1]]) };
      }
      case Op.reshape: {
        const target = inputs.length === 2 ? ints(1) : options;
        const known = target.reduce((size, n) => (n === -1 ? size : size * n), 1);
        // [0] is how old converters wrote a scalar; none at all leaves it to the output's own shape.
        if (known !== 0 && target.length > 0) {
          expectShape(target.map((n) => (n === -1 ? sizeOf(input(0).shape) / known : n)));
        }
        return { op: "reshape" };
      }
      case Op.squeeze:
      case Op.expandDims:
        return { op: "reshape" };
      case Op.transpose:
        return { op: "transpose", permutation: ints(1) };
      case Op.stridedSlice: {
        const [beginMask, endMask, ellipsis, newAxis, shrink, offset] = options;
        need(ellipsis === 0 && newAxis === 0 && offset === 0, "a slice by begin, end and strides", "other masks");
        const [begins, ends, strides] = [ints(1), ints(2), ints(3)];
        need(
          strides.every((n) => n >= 1),
          "strides ≥ 1",
          strides,
        );
        const { shape } = input(0);
        const has = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;
        const index = (n: number, size: number): number => Math.min(Math.max(fromEnd(n, size), 0), size);
        const begin = shape.map((size, i) => (has(beginMask, i) && !has(shrink, i) ? 0 : index(begins[i], size)));
        const sizes = shape.map((size, i) => {
          const end = has(endMask, i) ? size : index(ends[i], size);
          return has(shrink, i) ? 1 : Math.ceil((end - begin[i]) / strides[i]);
        });
        expectShape(sizes.filter((_, i) => !has(shrink, i)));
        if (sizes.length > out.shape.length) sliced = sizes;
        return { op: "stridedSlice", begin, strides };
      }
      case Op.resizeBilinear:
      case Op.resizeNearest: {
        const [batch, , , channels] = input(0).shape;
        expectShape([batch, ...ints(1), channels]);
        const [alignCorners, halfPixelCenters] = options.slice(-2).map((flag) => flag !== 0);
        return { op: code === Op.resizeNearest ? "resizeNearest" : "resizeBilinear", alignCorners, halfPixelCenters };
      }
      case Op.argMax:
        return { op: "argMax", axis: fromEnd(ints(1)[0], input(0).shape.length) };
      case Op.softmax:
        return { op: "softmax", beta: options[0] };
      case Op.leakyRelu:
        return { op: "leakyRelu", alpha: options[0] };
      case Op.maximum: {
        const constant = codeOf(input(1)) === undefined ? 0 : 1;
        least = codeOf(input(constant));
        need(least !== undefined, "a constant code beside a tensor", "two tensors");
        for (const { scales, zeroPoints } of [input(0), input(1)]) {
          const same = scales[0] === out.scales[0] && zeroPoints[0] === out.zeroPoints[0];
          expect(same, "inputs with the output's parameters", `scale ${scales[0]}, zero point ${zeroPoints[0]}`);
        }
        reads = [1 - constant];
        return { op: "quantize" };
      }
      case Op.relu:
        return { op: "relu" };
      case Op.relu6:
        return { op: "relu6" };
      case Op.logistic:
        return { op: "logistic" };
      case Op.tanh:
        return { op: "tanh" };
      case Op.hardSwish:
        return { op: "hardSwish" };
      case Op.quantize:
        return { op: "quantize" };
      case Op.dequantize:
        return { op: "dequantize" };
    }
  })();

  const names = reads.map((i) => graph.source(where, inputs[i]));
  const output = graph.result(where, outputs[0]);
  if (least !== undefined) graph.clamp(output, least);
  const node = { ...fields, name: output, inputs: names, output } as QuantizedNode;
  if (sliced === undefined) return [node];
  const middle = graph.between(outputs[0], sliced);
  return [
    { ...node, name: middle, output: middle },
    { op: "reshape", name: output, inputs: [middle], output },
  ];
}

/** The code of a constant of one int8 element. */
function codeOf({ type, data }: FileTensor): number | undefined {
  return type === TensorType.int8 && data?.length === 1 ? (data[0] << 24) >> 24 : undefined;
}
