import { QuantError } from "../core/errors.js";
import type { RangeState } from "../observers/observer.js";
import { isRecord, show } from "../quantizers/read-config-value.js";
import type { LayerTargets } from "./qat-targets.js";

/** Ranges of one layer's activations as plain data. */
export interface LayerRanges {
  readonly input?: RangeState;
  readonly output?: RangeState;
}

/** Where a training stands, as plain data that JSON holds exactly; the weights are the caller's to save. */
export interface QATState {
  /** Number of step() calls. */
  readonly step: number;
  /** Ranges of the activations, by layer. */
  readonly ranges: Readonly<Record<string, LayerRanges>>;
}

/**
 * Checks a stored state of training against the layers it is to go on with.
 *
 * Errors: QuantError `invalid-config` naming the part, what was expected and what was found: for a counter or a range that is
 * none, and for a layer or target that is not quantized here.
 */
export function checkTrainingState(where: string, state: QATState, targets: ReadonlyMap<string, LayerTargets>): void {
  if (!isRecord(state)) throw invalid(where, "", "what toJSON() gave", state);
  const { step, ranges } = state;
  if (!Number.isSafeInteger(step) || step < 0) throw invalid(where, ".step", "an integer ≥ 0", step);
  if (!isRecord(ranges)) throw invalid(where, ".ranges", "ranges by layer", ranges);
  for (const [name, layer] of Object.entries(ranges)) {
    if (!isRecord(layer)) throw invalid(where, `.ranges["${name}"]`, "ranges of input and output", layer);
    for (const [target, range] of Object.entries(layer)) {
      const part = `.ranges["${name}"].${target}`;
      const isActivation = target === "input" || target === "output";
      if (!isActivation || targets.get(name)?.[target] === undefined) {
        throw invalid(where, part, "a range of an activation that is quantized", range);
      }
      if (!isRange(range)) throw invalid(where, part, "{ count, min, max } with one finite range", range);
    }
  }
}

function isRange(range: unknown): boolean {
  if (!isRecord(range)) return false;
  const { count, min, max } = range;
  if (!Number.isSafeInteger(count) || (count as number) < 0 || !Array.isArray(min) || !Array.isArray(max)) return false;
  const entries = count === 0 ? 0 : 1;
  return (
    min.length === entries && max.length === entries && [...min, ...max].every(Number.isFinite) && !(min[0] > max[0])
  );
}

function invalid(where: string, part: string, expected: string, actual: unknown): QuantError {
  return new QuantError("invalid-config", `${where}: resume${part}: expected ${expected}, got ${show(actual)}`, {
    part,
    actual,
  });
}
