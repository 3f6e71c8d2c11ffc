import type { RoundingRule } from "../core/rounding-rule.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { loadedLayers } from "../wasm/load-infer.js";
import { planSession } from "./plan.js";
import { type Session, startSession } from "./session.js";
import { withBatch } from "./with-batch.js";

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
 * Errors: RangeError for wrong options and for scales that do not fit each other; QuantError `out-of-memory`, `unsupported`.
 */
export function createSession(graph: QuantizedGraph, options: SessionOptions = {}): Session {
  const { rounding = "integer", batch = 1, preferMemory = false } = options;
  const kernels = loadedLayers();
  const plan = planSession(withBatch(graph, batch), { rounding, preferMemory });
  if (kernels === undefined) throw new Error("not yet");
  return startSession(plan, kernels, (node) => {
    throw new Error(`not yet: ${node.op}`);
  });
}
