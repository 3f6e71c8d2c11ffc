// Entry of the float kernels: quantize, observe, fold, gradients of training. Raw pointers only; the module imports its memory, allocates nothing
// and owns no data but the address of its constants block.
export { initConstants } from "./core/constants";
export { features } from "./core/features";
export { batchNormTrainF32 } from "./kernels/batch-norm-train";
export { batchNormTrainGradientF32 } from "./kernels/batch-norm-train-gradient";
export { biasGradientF32 } from "./kernels/bias-gradient";
export { channelAffineF32 } from "./kernels/channel-affine";
export { channelAffineGradientF32 } from "./kernels/channel-affine-gradient";
export { clipGradientF32 } from "./kernels/clip-gradient";
export { conv2dBackpropFilterF32 } from "./kernels/conv2d-backprop-filter";
export { conv2dBackpropInputF32 } from "./kernels/conv2d-backprop-input";
export { depthwiseBackpropFilterF32 } from "./kernels/depthwise-backprop-filter";
export { depthwiseBackpropInputF32 } from "./kernels/depthwise-backprop-input";
export {
  dequantizeI16ToF32,
  dequantizeI16ToF32PerChannel,
  dequantizeI8ToF32,
  dequantizeI8ToF32PerChannel,
  dequantizeU16ToF32,
  dequantizeU16ToF32PerChannel,
  dequantizeU8ToF32,
  dequantizeU8ToF32PerChannel,
} from "./kernels/dequantize";
export { dorefaGradientsF32 } from "./kernels/dorefa-gradients";
export { dorefaWeightsF32 } from "./kernels/dorefa-weights";
export { dorefaWeightsGradientF32 } from "./kernels/dorefa-weights-gradient";
export { fakeQuantizeF32, fakeQuantizeF32PerChannel } from "./kernels/fake-quantize";
export { fakeQuantizeGradientF32, fakeQuantizeGradientF32PerChannel } from "./kernels/fake-quantize-gradient";
export {
  foldBatchNormBiasF32,
  foldBatchNormScaleF32,
  foldBatchNormWeightsF32,
  foldBatchNormWeightsF32PerChannel,
} from "./kernels/fold-batch-norm";
export { maxPoolGradientF32 } from "./kernels/max-pool-gradient";
export { minMaxF32, minMaxF32PerChannel } from "./kernels/min-max";
export { momentsF32 } from "./kernels/moments";
export { movingAverageF32 } from "./kernels/moving-average";
export { observeFakeQuantizeF32 } from "./kernels/observe-fake-quantize";
export { packBits, unpackBits } from "./kernels/pack-bits";
export {
  quantizeF32ToI16,
  quantizeF32ToI16PerChannel,
  quantizeF32ToI8,
  quantizeF32ToI8PerChannel,
  quantizeF32ToU16,
  quantizeF32ToU16PerChannel,
  quantizeF32ToU8,
  quantizeF32ToU8PerChannel,
} from "./kernels/quantize";
export { signActivationsF32 } from "./kernels/sign-activations";
