import { QuantError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import type { StateDict } from "../core/tensor.js";
import type { LayerInfo } from "../quantizers/select-config.js";
import { layerOfEntry, stateDictLayers } from "../quantizers/state-dict-layers.js";

/** A layer of a state dict, and the entries that hold its weights: its tensors of rank ≥ 2. */
export interface StateDictLayer extends LayerInfo {
  readonly weightEntries: readonly string[];
}

/** The layers of a state dict, in the order of their first entries. Errors: as stateDictLayers. */
export function weightedLayers(where: string, state: StateDict): StateDictLayer[] {
  const weightEntries = new Map<string, string[]>();
  for (const [entry, { shape }] of Object.entries(state)) {
    if (shape.length < 2 || sizeOf(shape) === 0) continue;
    const name = layerOfEntry(entry);
    weightEntries.set(name, [...(weightEntries.get(name) ?? []), entry]);
  }
  return stateDictLayers(where, state).map((layer) => ({
    ...layer,
    weightEntries: weightEntries.get(layer.name) ?? [],
  }));
}

/** Checks that a layer whose weight is quantized in training has one alone; throws QuantError `unsupported`. */
export function checkOneWeight(where: string, { name, weightEntries }: StateDictLayer): void {
  if (weightEntries.length < 2) return;
  const found = weightEntries.map((entry) => `"${entry}"`).join(", ");
  throw new QuantError(
    "unsupported",
    `${where}: layer "${name}": expected one weight of rank ≥ 2 to quantize, got ${found}; exclude it in a config list, { op_names: ["${name}"], exclude: true }`,
    { layer: name, entries: weightEntries },
  );
}
