import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { checkPlan } from "./check-plan.js";
import { type SessionOptions, startSession } from "./create-wasm-session.js";
import { referenceEngine } from "./reference-engine.js";
import type { Session } from "./session.js";

/**
 * Makes a network ready to run: chooses kernels, packs weights once, and plans all memory ahead.
 *
 * Where there is no WebAssembly SIMD, the network is run by its definitions.
 *
 * @param model the bytes of an int8 .tflite file, or a QuantizedGraph as readTflite and convert give one
 *
 * Errors: RangeError for wrong options and for scales that do not fit each other; TypeError for no model; QuantError as readTflite,
 * `unsupported` for a batch that the network cannot have, `out-of-memory`.
 *
 * @example
 * const session = createSession(await readFile("model.tflite"));
 * const { probs } = session.run({ image: new Int8Array(32) });
 * session.dispose();
 */
export function createSession(model: Uint8Array | ArrayBuffer | QuantizedGraph, options: SessionOptions = {}): Session {
  return startSession(model, options, { referenceEngine, checkPlan });
}
