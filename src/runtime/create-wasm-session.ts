import { QuantError } from "../core/errors.js";
import type { RoundingRule } from "../core/rounding-rule.js";
import { readTflite } from "../formats/tflite/read-tflite.js";
import type { QuantizedGraph } from "../graph/quantized-graph.js";
import { loadedLayers } from "../wasm/load-infer.js";
import { type Plan, planSession } from "./plan.js";
import { makeSession, type Session, type SessionEngine } from "./session.js";
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

/** What a session can do without: `bitpress` has it, `bitpress/runtime` leaves it out for its size. */
export interface SessionExtras {
  /** Runs a network where there is no WebAssembly SIMD. */
  referenceEngine(graph: QuantizedGraph, rounding: RoundingRule): SessionEngine;
  /** Proves a plan, in the debug build. */
  checkPlan(plan: Plan): void;
}

/**
 * createSession of "bitpress/runtime": on WebAssembly SIMD, or not at all.
 *
 * Errors: as createSession of "bitpress"; QuantError `unsupported-host` where there is no WebAssembly SIMD, and after
 * init({ build: "reference" }).
 */
export function createWasmSession(
  model: Uint8Array | ArrayBuffer | QuantizedGraph,
  options: SessionOptions = {},
): Session {
  return startSession(model, options);
}

/** A session, with or without what it can do without. */
export function startSession(
  model: Uint8Array | ArrayBuffer | QuantizedGraph,
  { rounding = "integer", batch = 1, preferMemory = false }: SessionOptions,
  extras?: SessionExtras,
): Session {
  if (!RULES.includes(rounding)) {
    throw new RangeError(`createSession: expected rounding to be one of ${RULES.join(", ")}, got ${String(rounding)}`);
  }
  const graph = withBatch(graphOf(model), batch);
  const kernels = loadedLayers();
  if (kernels === undefined) {
    if (extras !== undefined) return makeSession(graph, extras.referenceEngine(graph, rounding));
    throw new QuantError(
      "unsupported-host",
      'createSession: expected WebAssembly SIMD, got the reference build; use createSession of "bitpress", which has it',
    );
  }
  const plan = planSession(graph, { rounding, preferMemory });
  if (kernels.build === "debug") extras?.checkPlan(plan);
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
