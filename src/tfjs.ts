export type { RoundingRule } from "./core/rounding-rule.js";
export type { QuantizedStateDict, QuantizedTensor, Tensor } from "./core/tensor.js";
export type { ModelArtifacts } from "./formats/tfjs-model/artifacts.js";
export type { CodeDifference } from "./graph/lower/dorefa-layer.js";
export type { QuantizedGraph } from "./graph/quantized-graph.js";
export type { ObserverState } from "./observers/observer.js";
export type { CalibrationConfig, TargetCalibration } from "./quantizers/calibration-config.js";
export type { ConfigList } from "./quantizers/config-list.js";
export type { DoReFaOptions, DoReFaTrainingOptions } from "./quantizers/dorefa-options.js";
export type { NaiveOptions } from "./quantizers/naive.js";
export type { QATOptions, QATSchedule } from "./quantizers/qat.js";
export type { Report, TensorReport } from "./quantizers/report.js";
export { accelerate } from "./tfjs/accelerate.js";
export {
  type CalibrateOptions,
  type CalibrationState,
  calibrate,
} from "./tfjs/calibrate.js";
export { type ConvertOptions, convert } from "./tfjs/convert.js";
export { DoReFaQuantizer } from "./tfjs/dorefa-quantizer.js";
export type { DoReFaReport } from "./tfjs/dorefa-report.js";
export { enableWasmTraining } from "./tfjs/enable-wasm-training.js";
export { type ExportedModel, exportModel } from "./tfjs/export-model.js";
export type { TfjsModel } from "./tfjs/live-model.js";
export { NaiveQuantizer } from "./tfjs/naive-quantizer.js";
export { QATQuantizer } from "./tfjs/qat-quantizer.js";
export type { FloatLayer, QATReport } from "./tfjs/qat-report.js";
export type { CalibrationBatch, CalibrationSamples } from "./tfjs/sample-batches.js";
export { saveHandler, toArtifacts } from "./tfjs/save.js";
export { type VerifyOptions, verify } from "./tfjs/verify.js";
export { type Differences, type LayerParity, printVerification, type VerifyReport } from "./tfjs/verify-report.js";
