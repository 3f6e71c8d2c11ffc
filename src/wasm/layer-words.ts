// The words that describe a layer to the infer binary; what each means stands in assembly/core/layer-words.ts.

/** Kernels by number: the order of assembly/layers/run-layers.ts. */
export const LAYER_KERNELS = [
  "copyRows",
  "fillRows",
  "conv2dDirect",
  "matrixVector",
  "depthwiseConv2d",
  "winograd2",
  "winograd4",
  "depthwise3x3",
  "copyStrided",
  "addCodes",
  "multiplyCodes",
  "addTables",
  "maxPool",
  "averagePool",
  "meanCodes",
  "resizeNearest",
  "resizeBilinear",
  "lookUpCodes",
  "softmax",
  "argMax",
  "quantizeF32",
  "dequantizeF32",
] as const;

export type LayerKernel = (typeof LAYER_KERNELS)[number];

/** Names of the words, in their order. */
export const LAYER_WORDS = [
  "kernel",
  "x",
  "y",
  "images",
  "xImageBytes",
  "yImageBytes",
  "rows",
  "columns",
  "xPixelBytes",
  "xRowBytes",
  "yRowBytes",
  "yPixelBytes",
  "weights",
  "blocks",
  "blockCount",
  "scratch",
  "zeroPoint",
  "qmin",
  "qmax",
  "taps",
  "tapCount",
  "depth",
  "groups",
  "inRowBytes",
  "inChannels",
  "run",
  "x2",
  "x2ImageBytes",
  "x2RowBytes",
  "x2PixelBytes",
  "xStep",
  "x2Step",
  "scale",
] as const;

/** The words of a layer that are no addresses, `scale` by its bits. Those that a kernel does not read may be left out. */
export type LayerNumbers = Readonly<
  Partial<
    Record<
      Exclude<(typeof LAYER_WORDS)[number], "kernel" | "x" | "x2" | "y" | "weights" | "blocks" | "scratch" | "taps">,
      number
    >
  >
>;

/** Bytes that describe a layer. */
export const LAYER_BYTES = 192;

/** Channels of a block. */
export const BLOCK_CHANNELS = 8;
/** Words of a channel block. */
export const BLOCK_WORDS = 32;
/** Where the parts of a channel block are, in words. */
export const BLOCK = {
  bias: 0,
  multiplier: 8,
  factor: 16,
  shift: 24,
  channel: 25,
  count: 26,
  rule: 27,
  inChannel: 28,
  spread: 30,
  /** addCodes: the multiplier of the second input. */
  secondMultiplier: 16,
  /** combineCodes: of the two inputs. */
  zeroPoint: 28,
  secondZeroPoint: 29,
} as const;
/** Requantizations by number: the order of assembly/layers/requantize.ts. */
export const BLOCK_RULE = { integer: 0, exact: 1, float32: 2, twice: 3 } as const;
/** Tiles whose sums wait in the scratch of conv2dDirect. */
export const DIRECT_TILES = 16;
/** Groups of eight whose sums wait in the scratch of multiplyCodes and addTables. */
export const COMBINED_GROUPS = 64;
