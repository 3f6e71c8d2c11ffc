export type { DoReFaHooks, GradientPart } from "./arrays/dorefa-layer.js";
export {
  type DoReFaCompressOptions,
  DoReFaQuantizer,
  type DoReFaState,
  type DoReFaTraining,
} from "./arrays/dorefa-quantizer.js";
export { NaiveQuantizer } from "./arrays/naive-quantizer.js";
export type { QATLayer } from "./arrays/qat-layer.js";
export { type QATCompressOptions, QATQuantizer, type QATTraining } from "./arrays/qat-quantizer.js";
export {
  type QuantizeSafetensorsOptions,
  quantizeSafetensors,
  type SafetensorsProgress,
} from "./arrays/quantize-safetensors.js";
export { quantizeTfjs, type WeightProgress } from "./arrays/quantize-tfjs.js";
export type { LayerRanges, QATState } from "./arrays/training-state.js";
export { QuantError, type QuantErrorCode } from "./core/errors.js";
export type { Granularity, WeightLayout } from "./core/granularity.js";
export type { Codes, Grid, GridOptions } from "./core/grid.js";
export type { QuantParams } from "./core/quant-params.js";
export type { Shape } from "./core/shape.js";
export {
  isQuantized,
  type QuantizedStateDict,
  type QuantizedTensor,
  type StateDict,
  type Tensor,
} from "./core/tensor.js";
export { readSafetensors, type Safetensors } from "./formats/safetensors/read-safetensors.js";
export type { CallbackSink, FileSink, SafetensorsSink, StreamSink } from "./formats/safetensors/sink.js";
export type { BlobSource, FileSource, SafetensorsSource, StreamSource } from "./formats/safetensors/source.js";
export type { FloatTensor, IntegerArrays, IntegerTensor, SafetensorsTensor } from "./formats/safetensors/tensors.js";
export { type WriteSafetensorsOptions, writeSafetensors } from "./formats/safetensors/write-safetensors.js";
export type { ModelArtifacts, WeightSpec } from "./formats/tfjs-model/artifacts.js";
export { type ModelFiles, readTfjs, writeTfjs } from "./formats/tfjs-model/files.js";
export { readTflite } from "./formats/tflite/read-tflite.js";
export { type WriteTfliteOptions, writeTflite } from "./formats/tflite/write-tflite.js";
export type { Int8Tensor, PlainTensor, QuantizedGraph, QuantizedNode } from "./graph/quantized-graph.js";
export { validateQuantizedGraph } from "./graph/validate-quantized.js";
export { type HistogramObserver, histogramObserver } from "./observers/histogram-observer.js";
export { type MinMaxObserver, minMaxObserver } from "./observers/min-max-observer.js";
export { type MovingAverageObserver, movingAverageObserver } from "./observers/moving-average-observer.js";
export type {
  HistogramOptions,
  HistogramState,
  MinMaxState,
  MovingAverageState,
  Observer,
  ObserverState,
  RangeState,
} from "./observers/observer.js";
export { type ObserverKinds, observerFromJSON } from "./observers/observer-from-json.js";
export type { CalibrationConfig, TargetCalibration } from "./quantizers/calibration-config.js";
export type { ConfigList } from "./quantizers/config-list.js";
export type { DoReFaOptions, DoReFaTrainingOptions } from "./quantizers/dorefa-options.js";
export type { NaiveOptions } from "./quantizers/naive.js";
export type { QATOptions, QATSchedule } from "./quantizers/qat.js";
export type { Report, TensorReport } from "./quantizers/report.js";
export { chooseQuantParams, type Range } from "./reference/choose-quant-params.js";
export type { NoiseSource } from "./reference/gradient-noise.js";
export type { PackedBits } from "./reference/pack-bits.js";
export { createSession } from "./runtime/create-session.js";
export type { SessionOptions } from "./runtime/create-wasm-session.js";
export type { TensorData } from "./runtime/reference-step.js";
export type { NodeProfile, Session, SessionMemory, TensorDescription } from "./runtime/session.js";
export type { OutOption } from "./wasm/arguments.js";
export { dequantize, type FloatOptions } from "./wasm/dequantize.js";
export { type BoundOption, dorefaActivations } from "./wasm/dorefa-activations.js";
export { dorefaActivationsGradient } from "./wasm/dorefa-activations-gradient.js";
export { dorefaGradients, type GradientOptions } from "./wasm/dorefa-gradients.js";
export { dorefaWeights } from "./wasm/dorefa-weights.js";
export { dorefaWeightsGradient } from "./wasm/dorefa-weights-gradient.js";
export { fakeQuantize } from "./wasm/fake-quantize.js";
export { fakeQuantizeGradient } from "./wasm/fake-quantize-gradient.js";
export { type BatchNormInput, type FoldedLayer, foldBatchNorm } from "./wasm/fold-batch-norm.js";
export { type Build, backend, type InitOptions, init } from "./wasm/load.js";
export type { MemoryUsage } from "./wasm/memory.js";
export { type ChannelRange, minMax, type RangeOptions } from "./wasm/min-max.js";
export { packBits, unpackBits } from "./wasm/pack-bits.js";
export { type QuantizeOptions, quantize } from "./wasm/quantize.js";
export { memoryUsage, type ResidentArray, type ResidentTypes, residentArray } from "./wasm/resident-array.js";
export { signActivations } from "./wasm/sign-activations.js";
export { signActivationsGradient } from "./wasm/sign-activations-gradient.js";
