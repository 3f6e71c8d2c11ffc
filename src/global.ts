export * from "./index.js";
export * as tfjs from "./tfjs.js";
