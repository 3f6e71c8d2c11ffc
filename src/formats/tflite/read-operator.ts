import { QuantError } from "../../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../../core/shape.js";
import type { QuantizedNode } from "../../graph/quantized-graph.js";
import { sameShape } from "../../graph/shapes.js";
import type { FusedActivation, Padding, Pair } from "../../graph/types.js";
import type { FileOperator, FileTensor } from "./file-model.js";
import { fileError } from "./flatbuffer.js";
import { operatorName } from "./operator-names.js";
import { readWeights } from "./read-weights.js";
import { ACTIVATION, OP, OPTIONS, PADDING, TYPE } from "./schema.js";

/** What reading an operator needs of the graph that is being read. */
export interface GraphUnderWay {
  /** The tensor at an index of the file. */
  tensor(index: number): FileTensor;
  /** Name in the graph of a tensor that stands before the operator: an input, an output of another, or a constant. */
  source(where: string, index: number): string;
  /** Name in the graph of a tensor that the operator gives. */
  result(where: string, index: number): string;
  /** Name of a new tensor of a shape between two nodes, with the type and parameters of a tensor of the file. */
  between(index: number, shape: Shape): string;
  /** Unpacked 4-bit weights by place and size, so that layers that use them together hold them once. */
  readonly unpacked: Map<string, Int8Array>;
  /** Counts bytes of weights that a node uses. */
  countUse(bytes: number): void;
  /** Sets the smallest code of a tensor. */
  clamp(name: string, code: number): void;
}

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
  const label = outputs.length > 0 ? ` "${graph.tensor(outputs[0]).name.slice(0, 80)}"` : "";
  const where = `readTflite: ${kind}${label}`;
  const unsupported = (what: string): QuantError =>
    new QuantError("unsupported", `${where}: ${what}`, { operator: kind });
  const damaged = (expected: string, actual: string | number): QuantError =>
    fileError(`expected ${expected}, got ${actual}`, where);
  if (OPTIONS[code] === undefined && !WITHOUT_OPTIONS.has(code)) {
    throw unsupported("this operator is not supported; docs/formats.md lists those that are");
  }
  if (outputs.length !== 1) throw unsupported(`expected one output, got ${outputs.length}`);
  const out = graph.tensor(outputs[0]);
  if (code !== OP.quantize && code !== OP.dequantize) {
    for (const index of [...inputs.slice(0, 1), ...outputs]) refuseFloat(graph.tensor(index));
  }

  function refuseFloat({ type, name }: FileTensor): void {
    if (type !== TYPE.float32) return;
    const actual = `float32 "${name.slice(0, 80)}"`;
    throw unsupported(`expected int8 tensors, got ${actual}; quantize the model in full, weights and activations`);
  }

  const arity = (least: number, most = least): void => {
    if (inputs.length < least || inputs.length > most) throw damaged(`${least} to ${most} inputs`, inputs.length);
  };
  const input = (i: number): FileTensor => graph.tensor(inputs[i]);
  /** A node of some inputs, its output declared last, so that it cannot read what it gives. */
  const from = (...indices: number[]): { name: string; inputs: string[]; output: string } => {
    const names = indices.map((i) => graph.source(where, inputs[i]));
    const output = graph.result(where, outputs[0]);
    return { name: output, inputs: names, output };
  };
  const ints = (i: number): number[] => {
    const { data, type } = input(i);
    if (data === undefined || (type !== TYPE.int32 && type !== TYPE.int64)) {
      throw unsupported(`expected input ${i} to be constant integers`);
    }
    const bytes = type === TYPE.int64 ? 8 : 4;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    // Sizes and axes: what needs more than 32 bits fits nothing, and fails where it is compared.
    return Array.from({ length: Math.min(Math.floor(data.length / bytes), 64) }, (_, n) =>
      bytes === 8 ? Number(view.getBigInt64(n * 8, true)) : view.getInt32(n * 4, true),
    );
  };
  const axis = (n: number, rank: number): number => (n < 0 ? n + rank : n);
  const activation = (n: number): FusedActivation => {
    const found = Object.entries(ACTIVATION).find(([, value]) => value === n);
    if (found === undefined) throw unsupported(`expected a fused activation of NONE, RELU or RELU6, got ${n}`);
    return found[0] as FusedActivation;
  };
  const padding = (n: number): Padding => {
    if (n !== PADDING.same && n !== PADDING.valid) throw damaged("padding 0 or 1", n);
    return n === PADDING.same ? "same" : "valid";
  };
  const expectShape = (expected: Shape): void => {
    if (!sameShape(expected, out.shape)) throw damaged(`output ${formatShape(expected)}`, formatShape(out.shape));
  };
  const weights = (channelAxis: number) =>
    readWeights(where, graph, { input: input(0), weights: input(1), bias: bias(), out, channelAxis });
  const bias = (): FileTensor | undefined => (inputs.length > 2 && inputs[2] >= 0 ? input(2) : undefined);
  const unary = (op: "relu" | "relu6" | "logistic" | "tanh" | "hardSwish" | "quantize" | "dequantize" | "reshape") => {
    arity(1, op === "reshape" ? 2 : 1);
    return [{ ...from(0), op }];
  };

  switch (code as (typeof OP)[keyof typeof OP]) {
    case OP.conv2d: {
      arity(2, 3);
      const [pad, strideWidth, strideHeight, fused, dilationWidth, dilationHeight] = options;
      const read = weights(0);
      if (input(0).shape[3] !== read.weightsShape[3]) throw unsupported("grouped convolutions are not supported");
      return [
        {
          ...from(0),
          op: "conv2d",
          ...read,
          weightsShape: read.weightsShape as readonly [number, number, number, number],
          activation: activation(fused),
          strides: [strideHeight, strideWidth],
          padding: padding(pad),
          dilations: [dilationHeight, dilationWidth],
        },
      ];
    }
    case OP.depthwiseConv2d: {
      arity(2, 3);
      const [pad, strideWidth, strideHeight, , fused, dilationWidth, dilationHeight] = options;
      const read = weights(3);
      const [one, ...weightsShape] = read.weightsShape;
      if (one !== 1 || weightsShape.length !== 3) throw damaged("weights [1, h, w, c]", formatShape(read.weightsShape));
      return [
        {
          ...from(0),
          op: "depthwiseConv2d",
          ...read,
          weightsShape: weightsShape as unknown as readonly [number, number, number],
          activation: activation(fused),
          strides: [strideHeight, strideWidth],
          padding: padding(pad),
          dilations: [dilationHeight, dilationWidth],
          // The option depth_multiplier is ignored by TensorFlow Lite, too.
          multiplier: weightsShape[2] / input(0).shape[3],
        },
      ];
    }
    case OP.fullyConnected: {
      arity(2, 3);
      const [fused, format, keepDims] = options;
      if (format !== 0) throw unsupported("shuffled weights are not supported");
      const read = weights(0);
      return [
        {
          ...from(0),
          op: "fullyConnected",
          ...read,
          weightsShape: read.weightsShape as readonly [number, number],
          activation: activation(fused),
          keepDims: keepDims !== 0,
        },
      ];
    }
    case OP.add:
    case OP.sub:
    case OP.mul: {
      arity(2);
      const op = code === OP.add ? "add" : code === OP.sub ? "subtract" : "multiply";
      return [{ ...from(0, 1), op, activation: activation(options[0]) }];
    }
    case OP.concatenation:
      if (activation(options[1]) !== "linear") throw unsupported("a fused activation is not supported");
      return [{ ...from(...inputs.keys()), op: "concat", axis: axis(options[0], out.shape.length) }];
    case OP.averagePool2d:
    case OP.maxPool2d: {
      arity(1);
      const [pad, strideWidth, strideHeight, width, height, fused] = options;
      return [
        {
          ...from(0),
          op: code === OP.maxPool2d ? "maxPool2d" : "averagePool2d",
          poolSize: [height, width],
          strides: [strideHeight, strideWidth],
          padding: padding(pad),
          activation: activation(fused),
        },
      ];
    }
    case OP.mean: {
      arity(2);
      const axes = [...new Set(ints(1).map((n) => axis(n, input(0).shape.length)))].sort((a, b) => a - b);
      return [{ ...from(0), op: "mean", axes, keepDims: options[0] !== 0 }];
    }
    case OP.pad:
    case OP.padV2: {
      arity(code === OP.pad ? 2 : 3);
      if (code === OP.padV2) {
        const value = constantCode(input(2));
        const zero = out.zeroPoints[0] ?? 0;
        if (value !== zero) throw unsupported(`expected padding with the constant zero point ${zero}, got ${value}`);
      }
      const sizes = ints(1);
      const pairs = Array.from(
        { length: Math.ceil(sizes.length / 2) },
        (_, i): Pair => [sizes[2 * i], sizes[2 * i + 1]],
      );
      return [{ ...from(0), op: "pad", padding: pairs }];
    }
    case OP.reshape: {
      arity(1, 2);
      const target = inputs.length === 2 ? ints(1) : options;
      const known = target.reduce((size, n) => (n === -1 ? size : size * n), 1);
      const resolved = target.map((n) => (n === -1 ? sizeOf(input(0).shape) / known : n));
      // A vector [0] is how old converters wrote a scalar, and none at all leaves it to the output's own shape.
      if (target.length > 0 && !(target.length === 1 && target[0] === 0)) expectShape(resolved);
      return unary("reshape");
    }
    case OP.squeeze:
    case OP.expandDims: {
      arity(1, 2);
      const bare = (shape: Shape): Shape => shape.filter((size) => size !== 1);
      if (!sameShape(bare(input(0).shape), bare(out.shape))) {
        throw damaged(`the sizes of ${formatShape(input(0).shape)} without 1`, formatShape(out.shape));
      }
      return unary("reshape");
    }
    case OP.transpose:
      arity(2);
      return [{ ...from(0), op: "transpose", permutation: ints(1) }];
    case OP.slice: {
      arity(3);
      const { shape } = input(0);
      const [begin, size] = [ints(1), ints(2)];
      expectShape(shape.map((dim, i) => (size[i] === -1 ? dim - begin[i] : size[i])));
      return [{ ...from(0), op: "stridedSlice", begin, strides: shape.map(() => 1) }];
    }
    case OP.stridedSlice: {
      arity(4);
      const [beginMask, endMask, ellipsis, newAxis, shrink, offset] = options;
      if (ellipsis !== 0 || newAxis !== 0 || offset !== 0) {
        throw unsupported("ellipsis, new axes and offsets are not supported");
      }
      const { shape } = input(0);
      const [begins, ends, strides] = [ints(1), ints(2), ints(3)];
      if (strides.some((n) => n < 1)) throw unsupported("strides below 1 are not supported");
      const has = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;
      const at = (n: number, dim: number): number => Math.min(Math.max(axis(n, dim), 0), dim);
      const begin = shape.map((dim, i) => (has(beginMask, i) && !has(shrink, i) ? 0 : at(begins[i], dim)));
      const kept = shape.map((dim, i) => {
        if (has(shrink, i)) return 1;
        return Math.ceil(((has(endMask, i) ? dim : at(ends[i], dim)) - begin[i]) / strides[i]);
      });
      expectShape(kept.filter((_, i) => !has(shrink, i)));
      const whole = from(0);
      if (kept.length === out.shape.length) return [{ ...whole, op: "stridedSlice", begin, strides }];
      const middle = graph.between(outputs[0], kept);
      return [
        { name: middle, op: "stridedSlice", inputs: whole.inputs, output: middle, begin, strides },
        { ...whole, op: "reshape", inputs: [middle] },
      ];
    }
    case OP.resizeBilinear:
    case OP.resizeNearest: {
      arity(2);
      const [batch, , , channels] = input(0).shape;
      expectShape([batch, ...ints(1), channels]);
      const [alignCorners, halfPixelCenters] = options.slice(-2).map((flag) => flag !== 0);
      const op = code === OP.resizeNearest ? "resizeNearest" : "resizeBilinear";
      return [{ ...from(0), op, alignCorners, halfPixelCenters }];
    }
    case OP.argMax:
      arity(2);
      return [{ ...from(0), op: "argMax", axis: axis(ints(1)[0], input(0).shape.length) }];
    case OP.softmax:
      arity(1);
      return [{ ...from(0), op: "softmax", beta: options[0] }];
    case OP.leakyRelu:
      arity(1);
      return [{ ...from(0), op: "leakyRelu", alpha: options[0] }];
    case OP.maximum: {
      arity(2);
      const constant = [1, 0].find((i) => constantCode(input(i)) !== undefined);
      if (constant === undefined) throw unsupported("expected one input to be a constant code");
      for (const { scales, zeroPoints } of [input(0), input(1)]) {
        if (scales[0] !== out.scales[0] || zeroPoints[0] !== out.zeroPoints[0]) {
          throw damaged("inputs with the output's parameters", `scale ${scales[0]} and zero point ${zeroPoints[0]}`);
        }
      }
      const node = from(1 - constant);
      graph.clamp(node.output, constantCode(input(constant)) as number);
      return [{ ...node, op: "quantize" }];
    }
    case OP.relu:
      return unary("relu");
    case OP.relu6:
      return unary("relu6");
    case OP.logistic:
      return unary("logistic");
    case OP.tanh:
      return unary("tanh");
    case OP.hardSwish:
      return unary("hardSwish");
    case OP.quantize:
      return unary("quantize");
    case OP.dequantize:
      return unary("dequantize");
  }
}

/** Operators whose options have no fields, or that have none. */
const WITHOUT_OPTIONS: ReadonlySet<number> = new Set([OP.logistic, OP.relu, OP.relu6, OP.tanh]);

/** The code of a constant of one int8 element. */
function constantCode({ type, data }: FileTensor): number | undefined {
  return type === TYPE.int8 && data?.length === 1 ? (data[0] << 24) >> 24 : undefined;
}
