export { QuantError, type QuantErrorCode } from "./core/errors.js";
export type { InitOptions } from "./wasm/init.js";
export type { Build } from "./wasm/instance.js";
export { inferBackend as backend, initInfer as init } from "./wasm/load-infer.js";
