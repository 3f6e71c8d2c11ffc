import type { Granularity } from "../core/granularity.js";

// A Graph is plain, readonly data that JSON can carry: what a network computes, in the ops this library knows, and (after
// the placement pass) where its quantizers stand. The weights' values are kept beside it, by name.
//
// Layout: NHWC, row-major; weights as tfjs lays them out. Whoever brings a network in converts.

/** What a network computes. Passes are functions from Graph to Graph. */
export interface Graph {
  readonly name: string;
  /** Names of the values that come in, in the model's order. */
  readonly inputs: readonly string[];
  /** Names of the values that go out, in the model's order. */
  readonly outputs: readonly string[];
  /** Every value by name: the inputs, and each output of each node. */
  readonly values: Readonly<Record<string, Value>>;
  /** In topological order: a node reads inputs of the graph and outputs of nodes before it. */
  readonly nodes: readonly GraphNode[];
  /** Every weight by name. Nodes made from uses of one layer name the same weights. */
  readonly weights: Readonly<Record<string, WeightInfo>>;
  /** Which values are quantized and how, by value name; empty before placeQuantizers. */
  readonly quantizers: Readonly<Record<string, EdgeQuantizer>>;
}

/** Sizes with the batch first; null is a size that only the data tells: [null, 28, 28, 1]. */
export type ValueShape = readonly (number | null)[];

/** Type of the elements; everything but some inputs of opaque layers (indices) is float32. */
export type ValueType = "float32" | "int32" | "bool" | "string" | "complex64";

export interface Value {
  readonly shape: ValueShape;
  readonly dtype: ValueType;
}

/** A weight without its data. */
export interface WeightInfo {
  readonly shape: readonly number[];
  /** Whether training changes it: false for moving statistics and in frozen layers. */
  readonly trainable: boolean;
  /** `id` of the layer that owns it. */
  readonly layer: string;
}

/** The layer that a node came from. Nodes with equal `id` are uses of one layer, or parts of it. */
export interface LayerSource {
  /** Unique in the graph: the layer's name, behind the names of the nested models it lies in ("encoder/conv1"). */
  readonly id: string;
  /** The layer's own name, which reports and config lists use. */
  readonly name: string;
  /** Kind of layer as its framework calls it: Conv2D, SeparableConv2D, LSTM … */
  readonly className: string;
  /** The layer's getConfig(), plain data. */
  readonly config: JsonObject;
}

/** A JSON object: getConfig() of a layer. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type Padding = "same" | "valid";

/** [along height, along width]. */
export type Pair = readonly [number, number];

/** What follows a sum inside the same op. */
export type FusedActivation = "linear" | "relu" | "relu6";

interface NodeBase {
  /** Unique in the graph; also a valid name for a tfjs layer or tensor. */
  readonly name: string;
  readonly layer: LayerSource;
  /** Layers after it that passes took into this node (batch norm, activation), in their order. */
  readonly fused: readonly LayerSource[];
  /** Names of values. */
  readonly inputs: readonly string[];
  /** Names of values; exactly one but for opaque nodes. */
  readonly outputs: readonly string[];
}

/** A batch normalization that foldBatchNorm took into the linear node before it. Strings are names of weights. */
export interface NodeBatchNorm {
  readonly layer: LayerSource;
  /** Absent: ones. */
  readonly gamma?: string;
  /** Absent: zeros. */
  readonly beta?: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
  /** Decay of the moving statistics. */
  readonly momentum: number;
  /** false: the layer was frozen (`trainable: false`). */
  readonly trainable: boolean;
}

/** How the weights of a linear node are quantized. */
export interface NodeWeightGrid {
  /** 1…16; 1 bit is DoReFa's. */
  readonly bits: number;
  readonly granularity: Granularity;
  /** Channel axis of the weights, ≥ 0; depthwise weights are seen as [kh, kw, 1, in·multiplier]. Unused per tensor. */
  readonly axis: number;
  readonly symmetric: boolean;
  readonly signed: boolean;
  /** Training steps that only track ranges; absent: the quantizer's own setting. */
  readonly quantStartStep?: number;
}

/** How DoReFaQuantizer trains a linear node. Bits are 1…16, or 32: untouched. */
export interface NodeDorefa {
  readonly weightBits: number;
  /** Of the gradient that arrives at the product, before bias and activation. */
  readonly gradientBits: number;
  /** What the gradient's noise is drawn from, beside the step. */
  readonly seed: number;
  readonly tensor: number;
}

interface LinearNode extends NodeBase {
  /** Name of the weights. */
  readonly weights: string;
  /** The shape in which the op sees its weights; that of a conv1d in the table lacks the leading 1. */
  readonly weightsShape: readonly number[];
  /** Name of the bias; absent: none. */
  readonly bias?: string;
  /** Set by foldBatchNorm; acts before the activation. */
  readonly batchNorm?: NodeBatchNorm;
  /** Set by fuseActivation; "linear" before. */
  readonly activation: FusedActivation;
  /** Set by placeQuantizers; absent: the weights stay float. */
  readonly weightGrid?: NodeWeightGrid;
  /** Set by placeDorefa; absent: the layer trains as usual. Never beside weightGrid; beside batchNorm on the way to integers alone. */
  readonly dorefa?: NodeDorefa;
  /** false: the layer was frozen (`trainable: false`). */
  readonly trainable: boolean;
}

interface ConvolutionGeometry {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** [batch, h, w, in] → [batch, h′, w′, out]. */
export interface Conv2dNode extends LinearNode, ConvolutionGeometry {
  readonly op: "conv2d";
  /** [kh, kw, in, out]. */
  readonly weightsShape: readonly [number, number, number, number];
}

/** [batch, h, w, in] → [batch, h′, w′, in·multiplier]; output channel c reads input channel ⌊c / multiplier⌋. */
export interface DepthwiseConv2dNode extends LinearNode, ConvolutionGeometry {
  readonly op: "depthwiseConv2d";
  /** [kh, kw, in, multiplier]. */
  readonly weightsShape: readonly [number, number, number, number];
}

/** [batch, …, in] → [batch, …, out]: on the last axis, of any rank ≥ 2. */
interface DenseNode extends LinearNode {
  readonly op: "dense";
  /** [in, out]. */
  readonly weightsShape: readonly [number, number];
}

/** Batch normalization over the last axis, where no linear node could take it in. */
export interface BatchNormNode extends NodeBase, Omit<NodeBatchNorm, "layer"> {
  readonly op: "batchNorm";
  readonly activation: FusedActivation;
}

/** Elementwise, one input; softmax is over the last axis. identity is a layer that does nothing. */
interface ElementwiseNode extends NodeBase {
  readonly op: "identity" | "relu" | "relu6" | "sigmoid" | "tanh" | "softmax";
}

/** x where x ≥ 0, else alpha·x. */
interface LeakyReluNode extends NodeBase {
  readonly op: "leakyRelu";
  readonly alpha: number;
}

/** inputs[0] ∘ inputs[1]: two inputs of equal rank, sizes of 1 broadcast. Layers that add more become several nodes. */
export interface ArithmeticNode extends NodeBase {
  readonly op: "add" | "subtract" | "multiply";
  readonly activation: FusedActivation;
}

interface ConcatNode extends NodeBase {
  readonly op: "concat";
  /** ≥ 1: counted from the front, never the batch. */
  readonly axis: number;
}

/** average: over the elements of the window that lie on the map, padding not counted. */
export interface Pool2dNode extends NodeBase {
  readonly op: "maxPool2d" | "averagePool2d";
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** Largest value, or mean, over height and width: [batch, h, w, c] → [batch, c], or [batch, 1, 1, c] with keepDims. */
export interface GlobalPool2dNode extends NodeBase {
  readonly op: "globalMaxPool2d" | "mean";
  readonly keepDims: boolean;
}

interface ZeroPad2dNode extends NodeBase {
  readonly op: "zeroPad2d";
  /** [[top, bottom], [left, right]]. */
  readonly padding: readonly [Pair, Pair];
}

/** bilinear: sample positions i / size, as tfjs's UpSampling2D (no half-pixel centers, no aligned corners). */
export interface Upsample2dNode extends NodeBase {
  readonly op: "upsample2d";
  readonly size: Pair;
  readonly interpolation: "nearest" | "bilinear";
}

/** [batch, …] → [batch, everything else]. */
interface FlattenNode extends NodeBase {
  readonly op: "flatten";
}

export interface ReshapeNode extends NodeBase {
  readonly op: "reshape";
  /** Without the batch; at most one null, the size that the others leave. */
  readonly targetShape: ValueShape;
}

interface PermuteNode extends NodeBase {
  readonly op: "permute";
  /** Which axis of the input each axis of the output is, the batch included: [0, 2, 1]. The batch stays first. */
  readonly permutation: readonly number[];
}

/** Acts in training only: Dropout, SpatialDropout1D, GaussianNoise … */
export interface DropoutNode extends NodeBase {
  readonly op: "dropout";
  /** Class and getConfig() from which the stock layer is made again. */
  readonly className: string;
  readonly config: JsonObject;
}

/** Any other layer: stays float and trainable. */
export interface OpaqueNode extends NodeBase {
  readonly op: "opaque";
  /** Class and getConfig() from which the layer is made again; some of tfjs's fromConfig change what they are given. */
  readonly className: string;
  readonly config: JsonObject;
  /** Names of its weights, in the order of the layer's `weights`. */
  readonly weights: readonly string[];
  /** Why it is not one of the ops above, for reports: "padding causal", "class LSTM". */
  readonly reason: string;
  /** false: the layer was frozen (`trainable: false`). */
  readonly trainable: boolean;
}

/** A node whose weights multiply its input. */
export type WeightedNode = Conv2dNode | DepthwiseConv2dNode | DenseNode;

/** One use of a layer, or of a part of it. */
export type GraphNode =
  | WeightedNode
  | BatchNormNode
  | ElementwiseNode
  | LeakyReluNode
  | ArithmeticNode
  | ConcatNode
  | Pool2dNode
  | GlobalPool2dNode
  | ZeroPad2dNode
  | Upsample2dNode
  | FlattenNode
  | ReshapeNode
  | PermuteNode
  | DropoutNode
  | OpaqueNode;

/** How a value is quantized: one scale and zero point for the whole tensor. */
export type EdgeQuantizer = OwnQuantizer | FixedQuantizer | ActivationQuantizer | SharedQuantizer;

/** A range of its own, observed in training or calibration. */
export interface OwnQuantizer {
  /** 1…16. */
  readonly bits: number;
  readonly signed: boolean;
  readonly symmetric: boolean;
  /** Training steps that only track ranges; absent: the quantizer's own setting. */
  readonly quantStartStep?: number;
  /** The range is observed in training for whoever makes integers of the model later; nothing is rounded. */
  readonly observeOnly?: true;
}

/** Parameters known without data: the outputs of softmax, sigmoid and tanh. */
export interface FixedQuantizer {
  /** 1…16. */
  readonly bits: number;
  readonly signed: boolean;
  readonly fixed: { readonly scale: number; readonly zeroPoint: number };
  /** Training steps without quantization; absent: the quantizer's own setting. */
  readonly quantStartStep?: number;
}

/** DoReFa's activations: clipped to [0, bound], which 2^bits − 1 steps divide; or the signs of BNN. */
export type ActivationQuantizer = ClippedQuantizer | SignQuantizer;

interface ClippedQuantizer {
  /** 1…16. */
  readonly bits: number;
  readonly signed: false;
  /** A float32 > 0. */
  readonly bound: number;
}

/** −1 or +1. */
interface SignQuantizer {
  readonly bits: 1;
  readonly signed: true;
  readonly sign: true;
}

/** The parameters of another value, which has its own or fixed ones. */
interface SharedQuantizer {
  readonly like: string;
}
