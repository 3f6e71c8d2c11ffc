import { quoted } from "../../core/expect-that.js";

// BuiltinOperator by number, for messages: the operators that int8 models have. The list is short, because it is a part of
// whatever reads models; others are named by their number.
const NAMES =
  "ADD,AVERAGE_POOL_2D,CONCATENATION,CONV_2D,DEPTHWISE_CONV_2D,DEPTH_TO_SPACE,DEQUANTIZE,EMBEDDING_LOOKUP,,FULLY_CONNECTED,,L2_NORMALIZATION,,,LOGISTIC,,LSTM,MAX_POOL_2D,MUL,RELU,RELU_N1_TO_1,RELU6,RESHAPE,RESIZE_BILINEAR,RNN,SOFTMAX,SPACE_TO_DEPTH,SVDF,TANH,,,,CUSTOM,,PAD,,GATHER,BATCH_TO_SPACE_ND,SPACE_TO_BATCH_ND,TRANSPOSE,MEAN,SUB,DIV,SQUEEZE,UNIDIRECTIONAL_SEQUENCE_LSTM,STRIDED_SLICE,,EXP,TOPK_V2,SPLIT,LOG_SOFTMAX,,,CAST,PRELU,MAXIMUM,ARG_MAX,MINIMUM,,,PADV2,,,,,SLICE,,TRANSPOSE_CONV,,TILE,EXPAND_DIMS,,,,SUM,SQRT,RSQRT,SHAPE,,,,,REDUCE_MAX,PACK,,,,,UNPACK,,,,SQUARE,,FILL,,,RESIZE_NEAREST_NEIGHBOR,LEAKY_RELU,SQUARED_DIFFERENCE,MIRROR_PAD,ABS,SPLIT_V,,,,,,,,,ELU,,,QUANTIZE,,,HARD_SWISH,IF,WHILE,,,,,,,BATCH_MATMUL,,,,BROADCAST_TO,,,,,,,,,,,,,,,,,,,,GELU".split(
    ",",
  );

/** `CONV_2D`, or the number of a rare operator. */
export function operatorName({ code, custom = "" }: { readonly code: number; readonly custom?: string }): string {
  return code === 32 ? `CUSTOM ${quoted(custom)}` : NAMES[code] || `operator ${code}`;
}
