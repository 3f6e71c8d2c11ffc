import type { FusedActivation, Padding, Pair } from "./types.js";

// What the integer runtime runs and what a .tflite file holds: plain, readonly data. Multipliers and shifts are not in it:
// they follow from the scales and the rounding rule (docs/numerics.md), and whoever runs it computes them.
//
// Layouts are those of TensorFlow Lite: activations NHWC, convolution weights [out, kh, kw, in], depthwise weights
// [kh, kw, out], fully connected weights [out, in].

/** A network in integers. Made by `lower` and by the readers of files only. */
export interface QuantizedGraph {
  readonly name: string;
  /** Names of tensors, in the model's order. */
  readonly inputs: readonly string[];
  /** Names of tensors, in the model's order. */
  readonly outputs: readonly string[];
  /** Every tensor by name: the inputs, the constants, and the output of each node. */
  readonly tensors: Readonly<Record<string, QuantizedTensor>>;
  /** In topological order: a node reads inputs, constants and outputs of nodes before it. */
  readonly nodes: readonly QuantizedNode[];
}

export type QuantizedTensor = Int8Tensor | PlainTensor;

/** x = (code − zeroPoint) · scale. */
export interface Int8Tensor {
  readonly dtype: "int8";
  /** Batch first; the batch is 1 unless the file says otherwise. */
  readonly shape: readonly number[];
  /** A float32 value, > 0. */
  readonly scale: number;
  /** −128…127. */
  readonly zeroPoint: number;
  /**
   * Smallest code that its producer may write, −127 … 127 or absent for −128. Activations below 8 bits lie at the top of the
   * int8 grid, so that saturation is their upper bound and this their lower one. What the producer's op and activation give
   * by themselves is included (smallestCode), so a reader of this field needs to look no further. Inputs of the graph and
   * constants have none: nobody clamps them.
   */
  readonly qmin?: number;
  /** Present in constants alone: an operand that no node computes. */
  readonly data?: Int8Array;
}

/** float32 is read by `quantize` and written by `dequantize` alone; int32 is what argMax gives. */
export interface PlainTensor {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
}

interface NodeBase {
  /** For errors and reports, unique in the graph. A file keeps none: what is read from one is named after its output. */
  readonly name: string;
  /** Names of tensors; constants stand among those of add, subtract and multiply only, never alone. */
  readonly inputs: readonly string[];
  /** Name of a tensor. */
  readonly output: string;
}

/** A node whose int8 weights multiply its input; sums are int32. */
interface IntegerLinearNode extends NodeBase {
  /** Codes with zero point 0; −127…127 by this library, −128 in some files of others. */
  readonly weights: Int8Array;
  readonly weightsShape: readonly number[];
  /** Bits that a file stores per code: 4 where every code lies in −8…7 and its author asked for it. */
  readonly weightBits: 8 | 4;
  /** One per tensor, or one per output channel. float32 values > 0. */
  readonly weightScales: Float32Array;
  /** One per output channel, on the grid input scale · weight scale, zero point 0; absent: zeros, and absent where all are. */
  readonly bias?: Int32Array;
  readonly activation: FusedActivation;
}

interface WindowGeometry {
  /** [along height, along width]. */
  readonly strides: Pair;
  readonly padding: Padding;
}

/** [batch, h, w, in] → [batch, h′, w′, out]. Padding pads with the input's zero point. */
export interface IntegerConv2dNode extends IntegerLinearNode, WindowGeometry {
  readonly op: "conv2d";
  /** [out, kh, kw, in]. */
  readonly weightsShape: readonly [number, number, number, number];
  readonly dilations: Pair;
}

/** [batch, h, w, in] → [batch, h′, w′, in·multiplier]; output channel c reads input channel ⌊c / multiplier⌋. */
export interface IntegerDepthwiseConv2dNode extends IntegerLinearNode, WindowGeometry {
  readonly op: "depthwiseConv2d";
  /** [kh, kw, in·multiplier]. */
  readonly weightsShape: readonly [number, number, number];
  readonly multiplier: number;
  readonly dilations: Pair;
}

/** [batch, …] seen as [rows, in] → [rows, out]; keepDims: the leading axes stay, else they merge into one. */
export interface IntegerFullyConnectedNode extends IntegerLinearNode {
  readonly op: "fullyConnected";
  /** [out, in]. */
  readonly weightsShape: readonly [number, number];
  readonly keepDims: boolean;
}

/** inputs[0] ∘ inputs[1]; sizes of 1 broadcast, and missing axes are leading ones of size 1. */
export interface IntegerArithmeticNode extends NodeBase {
  readonly op: "add" | "subtract" | "multiply";
  readonly activation: FusedActivation;
}

/** All inputs and the output have equal parameters. */
export interface IntegerConcatNode extends NodeBase {
  readonly op: "concat";
  /** ≥ 0. */
  readonly axis: number;
}

/** Input and output have equal parameters. average: over the elements of the window that lie on the map. */
export interface IntegerPool2dNode extends NodeBase, WindowGeometry {
  readonly op: "maxPool2d" | "averagePool2d";
  readonly poolSize: Pair;
  readonly activation: FusedActivation;
}

/** Mean over some axes, with parameters of its own. */
export interface IntegerMeanNode extends NodeBase {
  readonly op: "mean";
  /** Ascending, ≥ 0. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Borders of the zero point; parameters are the input's. */
export interface IntegerPadNode extends NodeBase {
  readonly op: "pad";
  /** [before, after] of each axis. */
  readonly padding: readonly Pair[];
}

/** The same codes in the output's shape. */
interface IntegerReshapeNode extends NodeBase {
  readonly op: "reshape";
}

/** Parameters are the input's. */
export interface IntegerTransposeNode extends NodeBase {
  readonly op: "transpose";
  /** Which axis of the input each axis of the output is. */
  readonly permutation: readonly number[];
}

/** Parameters are the input's. The size of the output follows from begin, end and strides; no axis is dropped. */
export interface IntegerSliceNode extends NodeBase {
  readonly op: "stridedSlice";
  /** First index along each axis, ≥ 0. */
  readonly begin: readonly number[];
  /** Step along each axis, ≥ 1. */
  readonly strides: readonly number[];
}

/** [batch, h, w, c] → [batch, h′, w′, c]; parameters are the input's. */
export interface IntegerResizeNode extends NodeBase {
  readonly op: "resizeNearest" | "resizeBilinear";
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** One code in, one code out: a table of 256 entries, or a clamp. */
export interface IntegerElementwiseNode extends NodeBase {
  readonly op: "relu" | "relu6" | "logistic" | "tanh" | "hardSwish";
}

/** x where x ≥ 0, else alpha·x. */
export interface IntegerLeakyReluNode extends NodeBase {
  readonly op: "leakyRelu";
  readonly alpha: number;
}

/** Over the last axis; the output has scale 1/256 and zero point −128. */
export interface IntegerSoftmaxNode extends NodeBase {
  readonly op: "softmax";
  readonly beta: number;
}

/** Index of the largest code along an axis, the first among equals; int32. */
export interface IntegerArgMaxNode extends NodeBase {
  readonly op: "argMax";
  /** ≥ 0. */
  readonly axis: number;
}

/** quantize: float32 → int8, or int8 → int8 of other parameters or a larger qmin. dequantize: int8 → float32. */
export interface IntegerBorderNode extends NodeBase {
  readonly op: "quantize" | "dequantize";
}

export type IntegerWeightedNode = IntegerConv2dNode | IntegerDepthwiseConv2dNode | IntegerFullyConnectedNode;

export type QuantizedNode =
  | IntegerWeightedNode
  | IntegerArithmeticNode
  | IntegerConcatNode
  | IntegerPool2dNode
  | IntegerMeanNode
  | IntegerPadNode
  | IntegerReshapeNode
  | IntegerTransposeNode
  | IntegerSliceNode
  | IntegerResizeNode
  | IntegerElementwiseNode
  | IntegerLeakyReluNode
  | IntegerSoftmaxNode
  | IntegerArgMaxNode
  | IntegerBorderNode;
