import type { Shape } from "../../core/shape.js";
import type { Int8Tensor, IntegerWeightedNode, QuantizedGraph, QuantizedNode } from "../../graph/quantized-graph.js";
import { sameShape } from "../../graph/same-shape.js";
import { smallestCode } from "../../graph/smallest-code.js";
import { packBits, packedLength } from "../../reference/pack-bits.js";
import type { FileOperator, FileTensor } from "./file-model.js";
import { ACTIVATIONS, Op, PADDINGS, TensorType } from "./schema.js";

/** The file that is being put together. */
export interface FileUnderWay {
  /** Index of a tensor of the graph. */
  indexOf(name: string): number;
  /** Adds a tensor; returns its index. */
  add(tensor: FileTensor): number;
  operators: FileOperator[];
}

/**
 * Writes a node as an operator, and a MAXIMUM behind it where its output's qmin is not what the op gives by itself and no
 * fused RELU would give.
 *
 * Versions are those that TensorFlow Lite's own converter gives (op_version.cc).
 */
export function writeOperator(node: QuantizedNode, graph: QuantizedGraph, file: FileUnderWay): void {
  const output = graph.tensors[node.output];
  const clamp = clampOf(node, graph);
  const fusedInstead = clamp !== undefined && "activation" in node && node.activation === "linear";
  if (clamp === undefined || output.dtype !== "int8") {
    file.operators.push({ ...operatorOf(node, graph, file), outputs: [file.indexOf(node.output)] });
  } else if (fusedInstead && clamp === output.zeroPoint) {
    const fused = { ...node, activation: "relu" } as QuantizedNode;
    file.operators.push({ ...operatorOf(fused, graph, file), outputs: [file.indexOf(node.output)] });
  } else {
    const { qmin: _, ...free } = output;
    const before = file.add(int8Tensor(`${node.output}/before`, free));
    const least = { ...free, shape: [1], data: Int8Array.of(clamp) };
    file.operators.push({ ...operatorOf(node, graph, file), outputs: [before] });
    file.operators.push({
      code: Op.maximum,
      version: output.shape.length > 4 ? 3 : 2,
      inputs: [before, file.add(int8Tensor(`${node.output}/qmin`, least))],
      outputs: [file.indexOf(node.output)],
      options: [],
    });
  }
}

/** An int8 tensor as a file holds it. */
export function int8Tensor(name: string, { shape, scale, zeroPoint, data }: Int8Tensor): FileTensor {
  return {
    name,
    shape,
    type: TensorType.int8,
    scales: Float32Array.of(scale),
    zeroPoints: [zeroPoint],
    axis: 0,
    ...(data === undefined ? {} : { data: bytesOf(data) }),
  };
}

/** The qmin of a node's output, where the node does not keep it by itself. */
function clampOf(node: QuantizedNode, { tensors }: QuantizedGraph): number | undefined {
  const output = tensors[node.output];
  if (output.dtype !== "int8" || output.qmin === undefined) return undefined;
  const inputs = node.inputs.map((name) => tensors[name]).filter((tensor) => tensor.dtype === "int8");
  return output.qmin > smallestCode(node, inputs, output) ? output.qmin : undefined;
}

function bytesOf(data: Int8Array | Int32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function operatorOf(
  node: QuantizedNode,
  { tensors }: QuantizedGraph,
  file: FileUnderWay,
): Omit<FileOperator, "outputs"> {
  const inputs = node.inputs.map(file.indexOf);
  const input = tensors[node.inputs[0]];
  const rank = input.shape.length;
  const output = tensors[node.output];
  const ints = (role: string, values: readonly number[], shape: Shape = [values.length]): number => {
    const data = bytesOf(Int32Array.from(values));
    const name = `${node.output}/${role}`;
    return file.add({ name, shape, type: TensorType.int32, data, scales: new Float32Array(), zeroPoints: [], axis: 0 });
  };
  const operator = (code: number, version: number, options: readonly number[] = [], constants: number[] = []) => ({
    code,
    version,
    inputs: [...inputs, ...constants],
    options,
  });

  switch (node.op) {
    case "conv2d": {
      const { strides, dilations, activation } = node;
      const options = [
        PADDINGS.indexOf(node.padding),
        strides[1],
        strides[0],
        ACTIVATIONS.indexOf(activation),
        dilations[1],
        dilations[0],
      ];
      return operator(Op.conv2d, node.weightBits === 4 ? 7 : 3, options, addWeights(node, input as Int8Tensor, file));
    }
    case "depthwiseConv2d": {
      const { strides, dilations, activation, multiplier } = node;
      const options = [
        PADDINGS.indexOf(node.padding),
        strides[1],
        strides[0],
        multiplier,
        ACTIVATIONS.indexOf(activation),
      ];
      const version = node.weightBits === 4 ? 7 : 3;
      const constants = addWeights(node, input as Int8Tensor, file);
      return operator(Op.depthwiseConv2d, version, [...options, dilations[1], dilations[0]], constants);
    }
    case "fullyConnected": {
      const version = node.weightBits === 4 ? 10 : node.keepDims ? 5 : 4;
      const options = [ACTIVATIONS.indexOf(node.activation), 0, Number(node.keepDims), 0];
      return operator(Op.fullyConnected, version, options, addWeights(node, input as Int8Tensor, file));
    }
    case "add":
      return operator(Op.add, 2, [ACTIVATIONS.indexOf(node.activation)]);
    case "subtract": {
      const [a, b] = node.inputs.map((name) => tensors[name].shape);
      const version = !sameShape(a, b) && Math.max(a.length, b.length) > 4 ? 3 : 2;
      return operator(Op.sub, version, [ACTIVATIONS.indexOf(node.activation)]);
    }
    case "multiply": {
      const [a, b, y] = [...node.inputs, node.output].map((name) => (tensors[name] as Int8Tensor).scale);
      const version = Math.fround(Math.fround(a * b) / y) >= 1 ? 3 : 2;
      return operator(Op.mul, version, [ACTIVATIONS.indexOf(node.activation)]);
    }
    case "concat":
      return operator(Op.concatenation, 2, [node.axis, 0]);
    case "maxPool2d":
    case "averagePool2d": {
      const { strides, poolSize, activation } = node;
      const options = [
        PADDINGS.indexOf(node.padding),
        strides[1],
        strides[0],
        poolSize[1],
        poolSize[0],
        ACTIVATIONS.indexOf(activation),
      ];
      return operator(node.op === "maxPool2d" ? Op.maxPool2d : Op.averagePool2d, 2, options);
    }
    case "mean":
      return operator(Op.mean, 2, [Number(node.keepDims)], [ints("axes", node.axes)]);
    case "pad":
      return operator(Op.pad, rank > 4 ? 4 : 2, [], [ints("padding", node.padding.flat(), [rank, 2])]);
    case "reshape":
      return operator(Op.reshape, 1, output.shape, [ints("shape", output.shape)]);
    case "transpose": {
      const version = rank > 6 ? 8 : rank > 5 ? 6 : rank > 4 ? 4 : 2;
      return operator(Op.transpose, version, [], [ints("permutation", node.permutation)]);
    }
    case "stridedSlice": {
      const { begin, strides } = node;
      const end = begin.map((first, i) => first + (output.shape[i] - 1) * strides[i] + 1);
      const constants = [ints("begin", begin), ints("end", end), ints("strides", strides)];
      return operator(Op.stridedSlice, rank > 4 ? 4 : 2, [0, 0, 0, 0, 0, 0], constants);
    }
    case "resizeNearest":
    case "resizeBilinear": {
      const { alignCorners, halfPixelCenters } = node;
      const size = [ints("size", output.shape.slice(1, 3))];
      const flags = [Number(alignCorners), Number(halfPixelCenters)];
      if (node.op === "resizeBilinear") {
        return operator(Op.resizeBilinear, halfPixelCenters ? 3 : 2, [0, 0, ...flags], size);
      }
      return operator(Op.resizeNearest, alignCorners || halfPixelCenters ? 3 : 2, flags, size);
    }
    case "argMax":
      return operator(Op.argMax, 2, [TensorType.int32], [ints("axis", [node.axis], [])]);
    case "softmax":
      return operator(Op.softmax, 2, [node.beta]);
    case "leakyRelu":
      return operator(Op.leakyRelu, 1, [node.alpha]);
    case "dequantize":
      return operator(Op.dequantize, 2);
    case "relu":
      return operator(Op.relu, 2);
    case "relu6":
      return operator(Op.relu6, 2);
    case "logistic":
      return operator(Op.logistic, 2);
    case "tanh":
      return operator(Op.tanh, 2);
    case "hardSwish":
      return operator(Op.hardSwish, 1);
    case "quantize":
      return operator(Op.quantize, 1);
  }
}

/**
 * Adds the weights and the bias; returns their indices. A bias that is absent is written as zeros, because TensorFlow Lite's
 * int8 convolutions do not run without one.
 */
function addWeights(node: IntegerWeightedNode, input: Int8Tensor, file: FileUnderWay): number[] {
  const { weights, weightsShape, weightScales } = node;
  const depthwise = node.op === "depthwiseConv2d";
  const bias = node.bias ?? new Int32Array(weightsShape[depthwise ? 2 : 0] as number);
  const zeros = Array.from(weightScales, () => 0);
  const index = file.add({
    name: `${node.output}/weights`,
    shape: depthwise ? [1, ...weightsShape] : weightsShape,
    type: node.weightBits === 4 ? TensorType.int4 : TensorType.int8,
    data: node.weightBits === 4 ? packed(weights) : bytesOf(weights),
    scales: weightScales,
    zeroPoints: zeros,
    axis: depthwise ? 3 : 0,
  });
  const added = file.add({
    name: `${node.output}/bias`,
    shape: [bias.length],
    type: TensorType.int32,
    data: bytesOf(bias),
    scales: weightScales.map((scale) => input.scale * scale),
    zeroPoints: zeros,
    axis: 0,
  });
  return [index, added];
}

function packed(weights: Int8Array): Uint8Array {
  const bytes = new Uint8Array(packedLength(weights.length, 4));
  packBits(weights, 4, bytes);
  return bytes;
}
