import { QuantError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import type { LayerInfo } from "./select-config.js";

/** What of a state dict tells its layers. */
type ShapesByName = Readonly<Record<string, { readonly shape: Shape; readonly type?: string }>>;

/** What a rank says about a layer whose entries carry no type. */
const TYPE_OF_RANK: Readonly<Record<number, string>> = { 2: "Linear", 4: "Conv2d" };

/** The layer of a state dict entry: its name before the last dot, "block.0.fc" of "block.0.fc.weight"; all of it without a dot. */
export function layerOfEntry(entry: string): string {
  const dot = entry.lastIndexOf(".");
  return dot < 0 ? entry : entry.slice(0, dot);
}

/**
 * The layers of a state dict, in the order of their first entries.
 *
 * A layer's type is the one its entries carry; else Conv2d where its matrices (rank ≥ 2) have rank 4, Linear where they
 * have rank 2, and "" where their rank tells nothing or, as for batch norm, none of its entries is a matrix.
 * Errors: QuantError `invalid-config` where two entries of one layer carry different types.
 */
export function stateDictLayers(where: string, state: ShapesByName): LayerInfo[] {
  const entriesOf = new Map<string, string[]>();
  for (const entry of Object.keys(state)) {
    const name = layerOfEntry(entry);
    const entries = entriesOf.get(name);
    if (entries === undefined) entriesOf.set(name, [entry]);
    else entries.push(entry);
  }
  return [...entriesOf].map(([name, entries]) => layerOf(where, name, entries, state));
}

function layerOf(where: string, name: string, entries: readonly string[], state: ShapesByName): LayerInfo {
  const typed = entries.flatMap((entry) => {
    const { type } = state[entry];
    return type === undefined ? [] : [{ entry, type }];
  });
  if (typed.length > 0) {
    const [first] = typed;
    const other = typed.find(({ type }) => type !== first.type);
    if (other === undefined) return { name, type: first.type };
    throw new QuantError(
      "invalid-config",
      `${where}: expected one type for the entries of layer "${name}", got "${first.type}" on "${first.entry}" and "${other.type}" on "${other.entry}"`,
      { layer: name, entries: [first.entry, other.entry] },
    );
  }
  const matrices = entries.filter((entry) => state[entry].shape.length >= 2);
  if (matrices.length === 0) return { name, type: "" };
  const rank = state[matrices[0]].shape.length;
  const odd = matrices.find((entry) => TYPE_OF_RANK[state[entry].shape.length] !== TYPE_OF_RANK[rank]);
  const entry = odd ?? matrices[0];
  const type = odd === undefined ? (TYPE_OF_RANK[rank] ?? "") : "";
  return { name, type, typedByRank: { entry, rank: state[entry].shape.length } };
}
