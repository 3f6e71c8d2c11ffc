// Entry of the integer layers: what a session runs. Raw pointers only; the module imports its memory, allocates nothing and owns no data but the
// address of its constants block. Layers are described by words in linear memory (core/layer-words.ts).
export { inferFeatures as features } from "./core/infer-features";
export { initLayerConstants as initConstants } from "./core/layer-constants";
export { dequantizeF32 } from "./layers/dequantize-f32";
export { quantizeF32 } from "./layers/quantize-f32";
export { requantizeExact } from "./layers/requantize-exact";
export { requantizeFloat32 } from "./layers/requantize-float32";
export { requantizeInteger } from "./layers/requantize-integer";
export { requantizeTwice } from "./layers/requantize-twice";
export { runLayers } from "./layers/run-layers";
