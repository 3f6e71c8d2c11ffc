// Entry for edge routes, whose bundler turns `….wasm?module` imports into modules of another realm.
export { forbiddenBytes } from "./forbidden-bytes.js";
export { smoke } from "./smoke.js";
export { smokeRuntime } from "./smoke-runtime.js";
