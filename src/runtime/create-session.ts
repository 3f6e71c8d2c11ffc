import type { RoundingRule } from "../core/rounding-rule.js";
import { readTflite } from "../formats/tflite/read-tflite.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { loadedLayers } from "../wasm/load-infer.js";
import { checkPlan } from "./check-plan.js";
import { planSession } from "./plan.js";
import { referenceEngine } from "./reference-engine.js";
import { makeSession, type Session } from "./session.js";
import { wasmEngine } from "./wasm-engine.js";
import { withBatch } from "./with-batch.js";

const RULES: readonly RoundingRule[] = ["integer", "tflite", "float32"];

/** Options of createSession. */
export interface SessionOptions {
  /** How sums become codes; default `integer`. */
  readonly rounding?: RoundingRule;
  /** Images per run; default 1. */
  readonly batch?: number;
  /** Packed weights no more than twice as large as the model's, at the cost of speed; default false. */
  readonly preferMemory?: boolean;
}

/**
 * Makes a network ready to run: chooses kernels, packs weights once, and plans all memory ahead.
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
  const { rounding = "integer", batch = 1, preferMemory = false } = options;
  if (!RULES.includes(rounding)) {
    throw new RangeError(`createSession: expected rounding to be one of ${RULES.join(", ")}, got ${String(rounding)}`);
  }
  const graph = withBatch(graphOf(model), batch);
  const kernels = loadedLayers();
  if (kernels === undefined) return makeSession(graph, referenceEngine(graph, rounding));
  const plan = planSession(graph, { rounding, preferMemory });
  if (kernels.build === "debug") checkPlan(plan);
  return makeSession(graph, wasmEngine(plan, kernels, rounding));
}

function graphOf(model: Uint8Array | ArrayBuffer | QuantizedGraph): QuantizedGraph {
  if (model instanceof Uint8Array || model instanceof ArrayBuffer) return readTflite(model);
  if (typeof model !== "object" || model === null || !Array.isArray(model.nodes)) {
    throw new TypeError(
      `createSession: expected the bytes of a .tflite file or a QuantizedGraph, got ${Object.prototype.toString.call(model)}`,
    );
  }
  return model;
}
