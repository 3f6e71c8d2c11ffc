import type { BinaryExports } from "./instance.js";

/** Kernel over one tensor with one scale. */
type PerTensorKernel = (
  x: number,
  out: number,
  n: number,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
) => void;

/** Kernel over tables of scales and zero points, repeated every `period` elements. */
type PerChannelKernel = (
  x: number,
  out: number,
  n: number,
  scale: number,
  zeroPoint: number,
  period: number,
  qmin: number,
  qmax: number,
) => void;

/** What the infer binary exports. Layers are described by words in linear memory: layer-words.ts. */
export interface InferExports extends BinaryExports {
  /** Runs `count` > 0 layers, described one behind the other. */
  runLayers(layerPtr: number, count: number): void;
}

/** What the train binary exports. All arguments are numbers; pointers are byte offsets. Documented in assembly/kernels. */
export interface TrainExports extends BinaryExports {
  readonly quantizeF32ToI8: PerTensorKernel;
  readonly quantizeF32ToU8: PerTensorKernel;
  readonly quantizeF32ToI16: PerTensorKernel;
  readonly quantizeF32ToU16: PerTensorKernel;
  readonly quantizeF32ToI8PerChannel: PerChannelKernel;
  readonly quantizeF32ToU8PerChannel: PerChannelKernel;
  readonly quantizeF32ToI16PerChannel: PerChannelKernel;
  readonly quantizeF32ToU16PerChannel: PerChannelKernel;

  // The last two arguments of the kernel types are not read by these.
  readonly dequantizeI8ToF32: PerTensorKernel;
  readonly dequantizeU8ToF32: PerTensorKernel;
  readonly dequantizeI16ToF32: PerTensorKernel;
  readonly dequantizeU16ToF32: PerTensorKernel;
  readonly dequantizeI8ToF32PerChannel: PerChannelKernel;
  readonly dequantizeU8ToF32PerChannel: PerChannelKernel;
  readonly dequantizeI16ToF32PerChannel: PerChannelKernel;
  readonly dequantizeU16ToF32PerChannel: PerChannelKernel;

  readonly fakeQuantizeF32: PerTensorKernel;
  readonly fakeQuantizeF32PerChannel: PerChannelKernel;

  fakeQuantizeGradientF32(dy: number, x: number, out: number, n: number, lo: number, hi: number): void;
  fakeQuantizeGradientF32PerChannel(
    dy: number,
    x: number,
    out: number,
    n: number,
    lo: number,
    hi: number,
    period: number,
  ): void;

  minMaxF32(x: number, n: number, out: number): number;
  minMaxF32PerChannel(x: number, n: number, min: number, max: number, period: number): number;

  movingAverageF32(state: number, batch: number, n: number, decay: number): void;
  observeFakeQuantizeF32(
    x: number,
    out: number,
    n: number,
    state: number,
    first: number,
    decay: number,
    qmin: number,
    qmax: number,
    symmetric: number,
  ): number;

  foldBatchNormScaleF32(gamma: number, variance: number, epsilon: number, k: number, channels: number): void;
  foldBatchNormWeightsF32(weights: number, out: number, n: number, k: number): void;
  foldBatchNormWeightsF32PerChannel(weights: number, out: number, n: number, k: number, period: number): void;
  foldBatchNormBiasF32(bias: number, mean: number, k: number, beta: number, out: number, channels: number): void;

  packBits(codes: number, packed: number, n: number, bits: number, signed: number): number;
  unpackBits(packed: number, codes: number, n: number, bits: number, signed: number): void;

  dorefaGradientsF32(
    dr: number,
    out: number,
    batch: number,
    size: number,
    bits: number,
    key: number,
    first: number,
    scratch: number,
  ): number;
  dorefaWeightsF32(w: number, out: number, n: number, bits: number, scratch: number): number;
  dorefaWeightsGradientF32(dy: number, w: number, out: number, n: number, scratch: number): number;

  // geometry is the address of the 16 words of src/wasm/conv-geometry.ts; scratch as the calls in src/wasm size it.
  conv2dBackpropFilterF32(x: number, dy: number, dw: number, geometry: number, scratch: number): void;
  conv2dBackpropInputF32(dy: number, weights: number, dx: number, geometry: number, scratch: number): void;
  depthwiseBackpropFilterF32(x: number, dy: number, dw: number, geometry: number, scratch: number): void;
  depthwiseBackpropInputF32(dy: number, weights: number, dx: number, geometry: number, scratch: number): void;
  maxPoolGradientF32(dy: number, x: number, dx: number, geometry: number): void;
  signActivationsF32(x: number, out: number, n: number): void;
  clipGradientF32(dy: number, x: number, out: number, n: number, lo: number, hi: number): void;
  biasGradientF32(dy: number, dbias: number, rows: number, channels: number, scratch: number): void;
  momentsF32(x: number, mean: number, variance: number, rows: number, channels: number, scratch: number): void;
  channelAffineF32(
    x: number,
    scale: number,
    shift: number,
    y: number,
    rows: number,
    channels: number,
    scratch: number,
  ): void;
  channelAffineGradientF32(
    dy: number,
    x: number,
    scale: number,
    dx: number,
    dscale: number,
    dshift: number,
    rows: number,
    channels: number,
    scratch: number,
  ): void;
  batchNormTrainF32(
    x: number,
    gamma: number,
    beta: number,
    y: number,
    mean: number,
    variance: number,
    rows: number,
    channels: number,
    epsilon: number,
    scratch: number,
  ): void;
  batchNormTrainGradientF32(
    dy: number,
    x: number,
    gamma: number,
    mean: number,
    variance: number,
    dx: number,
    dgamma: number,
    dbeta: number,
    rows: number,
    channels: number,
    epsilon: number,
    scratch: number,
  ): void;
}
