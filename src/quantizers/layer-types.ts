/** One kind of layer under all its names. */
interface LayerType {
  /** Spellings that mean the same: PyTorch's first, then Keras's, then the ops of a tfjs GraphModel. */
  readonly names: readonly string[];
  /** Whether "default" includes it. */
  readonly weighted: boolean;
  /** A broader kind that includes this one: asking for that one finds this one too, not the other way round. */
  readonly within?: string;
}

/**
 * Every layer type known here: NNI's list of weighted modules, the tfjs layers that hold matrices, and the layers
 * without weights whose activations a config list names most.
 *
 * A depthwise convolution is a Conv2d in PyTorch and a class of its own in Keras. Conv2d and Conv2D both include it,
 * so that one config selects the same layers of one network on either side, and no meaning hangs on the case of a
 * letter; DepthwiseConv2D is the narrower word, for an entry after it. A separable convolution is two convolutions in
 * PyTorch: the same. Batch and layer normalization have no matrix and are not in "default", as in NNI.
 */
const LAYER_TYPES: readonly LayerType[] = [
  { names: ["Conv1d", "Conv1D"], weighted: true },
  { names: ["Conv2d", "Conv2D", "_FusedConv2D"], weighted: true },
  {
    names: ["DepthwiseConv2D", "DepthwiseConv2d", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"],
    weighted: true,
    within: "Conv2d",
  },
  { names: ["SeparableConv2D"], weighted: true, within: "Conv2d" },
  { names: ["Conv3d", "Conv3D"], weighted: true },
  { names: ["ConvTranspose1d", "Conv1DTranspose"], weighted: true },
  { names: ["ConvTranspose2d", "Conv2DTranspose", "Conv2DBackpropInput"], weighted: true },
  { names: ["ConvTranspose3d", "Conv3DTranspose"], weighted: true },
  { names: ["Linear", "Dense", "MatMul", "_FusedMatMul"], weighted: true },
  { names: ["Bilinear"], weighted: true },
  { names: ["EinsumDense"], weighted: true },
  { names: ["PReLU"], weighted: true },
  { names: ["Embedding"], weighted: true },
  { names: ["EmbeddingBag"], weighted: true },
  { names: ["PositionEmbedding"], weighted: true },
  { names: ["RNN", "SimpleRNN"], weighted: true },
  { names: ["LSTM"], weighted: true },
  { names: ["GRU"], weighted: true },
  { names: ["ConvLSTM2D"], weighted: true },
  { names: ["Bidirectional"], weighted: true },
  { names: ["TimeDistributed"], weighted: true },
  { names: ["MultiheadAttention", "MultiHeadAttention"], weighted: true },
  { names: ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormalization"], weighted: false },
  { names: ["LayerNorm", "LayerNormalization"], weighted: false },
  { names: ["Activation"], weighted: false },
  { names: ["ReLU"], weighted: false },
  { names: ["ReLU6"], weighted: false },
  { names: ["LeakyReLU"], weighted: false },
  { names: ["ELU"], weighted: false },
  { names: ["Hardswish"], weighted: false },
  { names: ["Sigmoid"], weighted: false },
  { names: ["Tanh"], weighted: false },
  { names: ["Softmax"], weighted: false },
  { names: ["MaxPool1d", "MaxPooling1D"], weighted: false },
  { names: ["MaxPool2d", "MaxPooling2D"], weighted: false },
  { names: ["AvgPool1d", "AveragePooling1D"], weighted: false },
  { names: ["AvgPool2d", "AveragePooling2D"], weighted: false },
  { names: ["AdaptiveAvgPool2d", "GlobalAveragePooling2D"], weighted: false },
  { names: ["AdaptiveMaxPool2d", "GlobalMaxPooling2D"], weighted: false },
  { names: ["Upsample", "UpSampling2D"], weighted: false },
  { names: ["ZeroPad2d", "ZeroPadding2D"], weighted: false },
  { names: ["Add"], weighted: false },
  { names: ["Subtract"], weighted: false },
  { names: ["Multiply"], weighted: false },
  { names: ["Average"], weighted: false },
  { names: ["Maximum"], weighted: false },
  { names: ["Minimum"], weighted: false },
  { names: ["Concatenate"], weighted: false },
  { names: ["Flatten"], weighted: false },
  { names: ["Reshape"], weighted: false },
  { names: ["Permute"], weighted: false },
  { names: ["Dropout"], weighted: false },
];

/** NNI's word for every layer type with weights. */
const EVERY_WEIGHTED = "default";

const byName = new Map(LAYER_TYPES.flatMap((type) => type.names.map((name) => [name, type] as const)));

/** Every word an op_types list may hold whatever the model. */
export const KNOWN_LAYER_TYPES: readonly string[] = [EVERY_WEIGHTED, ...byName.keys()];

/**
 * Whether a layer of type `type` is meant by the word `asked` of a config list: the same kind in any spelling, a kind
 * within it, any weighted kind for "default". Types unknown here match by their exact name.
 */
export function isLayerType(type: string, asked: string): boolean {
  const known = byName.get(type);
  if (asked === EVERY_WEIGHTED) return known?.weighted === true;
  if (known === undefined) return type === asked;
  return known.names.includes(asked) || (known.within !== undefined && byName.get(known.within) === byName.get(asked));
}
