export type { ModelArtifacts } from "./formats/tfjs-model/artifacts.js";
export type { NaiveOptions } from "./quantizers/naive.js";
export type { Report, TensorReport } from "./quantizers/report.js";
export { enableWasmTraining } from "./tfjs/enable-wasm-training.js";
export type { TfjsModel } from "./tfjs/live-model.js";
export { NaiveQuantizer } from "./tfjs/naive-quantizer.js";
export { saveHandler, toArtifacts } from "./tfjs/save.js";
