export { QuantError, type QuantErrorCode } from "./core/errors.js";
export type { RoundingRule } from "./core/rounding-rule.js";
export type { QuantizedGraph } from "./graph/quantized-graph.js";
export { createWasmSession as createSession, type SessionOptions } from "./runtime/create-wasm-session.js";
export type { TensorData } from "./runtime/reference-step.js";
export type { NodeProfile, Session, SessionMemory, TensorDescription } from "./runtime/session.js";
export type { InitOptions } from "./wasm/init.js";
export type { Build } from "./wasm/instance.js";
export { inferBackend as backend, initInfer as init } from "./wasm/load-infer.js";
