import { QuantError } from "../core/errors.js";
import type { ConfigEntry, ConfigMatch } from "./config-list.js";
import { isLayerType, KNOWN_LAYER_TYPES } from "./layer-types.js";
import { namePattern } from "./name-pattern.js";
import { nearestNames } from "./nearest-names.js";

/** A layer as configuration sees it. */
export interface LayerInfo {
  readonly name: string;
  /** Kind of layer in NNI's or tfjs's spelling: Conv2d, Linear, Conv2D, Dense …; "" where nothing tells it. */
  readonly type: string;
  /** State dicts: the entry whose rank stood in for a type that none carried. */
  readonly typedByRank?: { readonly entry: string; readonly rank: number };
}

/**
 * The entry that configures a layer: the last one that matches, whole (entries are never merged); undefined where none
 * matches or where it excludes.
 *
 * An entry matches a layer whose type is in `opTypes` (where given), whose name is in `opNames` or begins with a match
 * of `opNamesRe` (where either is given), and that no `exclude…` list of the entry holds. An empty list holds nothing.
 * Source: Compressor.select_config of NNI v1.4–v2.10, select_modules_by_config of v3; but `exclude: false` excludes
 * nothing here.
 */
export function selectConfig(entries: readonly ConfigEntry[], layer: LayerInfo): ConfigEntry | undefined {
  for (let i = entries.length - 1; i >= 0; i--) {
    if (matchesName(entries[i].match, layer) && matchesType(entries[i].match, layer)) {
      return entries[i].exclude ? undefined : entries[i];
    }
  }
  return undefined;
}

/**
 * Checks a config list against the layers of a model, so that a misspelt word is an error and not a layer left out.
 *
 * Errors: QuantError `invalid-config`, naming entry, key, word and the nearest choices, for a name that no layer has, a
 * type that is neither known nor a layer's; and, for state dicts, where an entry's types decide but only a rank tells.
 */
export function checkMatches(where: string, entries: readonly ConfigEntry[], layers: readonly LayerInfo[]): void {
  const names = layers.map(({ name }) => name);
  for (const entry of entries) {
    const { opNames, excludeOpNames, opTypes, excludeOpTypes } = entry.match;
    checkNames(where, entry, "op_names", opNames, names);
    checkNames(where, entry, "exclude_op_names", excludeOpNames, names);
    checkTypes(where, entry, "op_types", opTypes, layers);
    checkTypes(where, entry, "exclude_op_types", excludeOpTypes, layers);
  }
  for (const layer of layers) checkTypeIsTold(where, entries, layer);
}

function matchesName({ opNames, opNamesRe, excludeOpNames, excludeOpNamesRe }: ConfigMatch, { name }: LayerInfo) {
  const anyName = opNames === undefined && opNamesRe === undefined;
  return (anyName || isNamed(name, opNames, opNamesRe)) && !isNamed(name, excludeOpNames, excludeOpNamesRe);
}

function isNamed(name: string, names: readonly string[] = [], patterns: readonly string[] = []): boolean {
  return names.includes(name) || patterns.some((pattern) => namePattern(pattern).test(name));
}

function matchesType({ opTypes, excludeOpTypes = [] }: ConfigMatch, { type }: LayerInfo): boolean {
  const isOneOf = (asked: readonly string[]) => asked.some((word) => isLayerType(type, word));
  return (opTypes === undefined || isOneOf(opTypes)) && !isOneOf(excludeOpTypes);
}

function checkNames(
  where: string,
  { index }: ConfigEntry,
  key: string,
  asked: readonly string[] = [],
  names: readonly string[],
): void {
  for (const value of asked) {
    if (names.includes(value)) continue;
    throw new QuantError(
      "invalid-config",
      `${where}: config entry ${index}, "${key}": expected names of layers (${nearestNames(value, names)}), got ${JSON.stringify(value)}`,
      { index, key, value, choices: names },
    );
  }
}

function checkTypes(
  where: string,
  { index }: ConfigEntry,
  key: string,
  asked: readonly string[] = [],
  layers: readonly LayerInfo[],
): void {
  for (const value of asked) {
    if (value === "default" || layers.some(({ type }) => isLayerType(type, value))) continue;
    const types = [...new Set(layers.map(({ type }) => type).filter((type) => type !== ""))];
    if (!KNOWN_LAYER_TYPES.includes(value)) {
      const choices = [...new Set([...types, ...KNOWN_LAYER_TYPES])];
      throw new QuantError(
        "invalid-config",
        `${where}: config entry ${index}, "${key}": expected types of layers (${nearestNames(value, choices)}), got ${JSON.stringify(value)}`,
        { index, key, value, choices },
      );
    }
    const guessed = layers.find(({ typedByRank }) => typedByRank !== undefined)?.typedByRank;
    if (guessed !== undefined) {
      throw new QuantError(
        "invalid-config",
        `${where}: config entry ${index}, "${key}": expected types that state dict entries carry or their rank tells (rank 4 is Conv2d, rank 2 is Linear), got "${value}"; give the entries it means a type, as in "${guessed.entry}": { data, shape, type: "${value}" }`,
        { index, key, value, choices: types },
      );
    }
  }
}

/** An error where the entry that decides about a layer asks for types, but nothing tells the layer's. */
function checkTypeIsTold(where: string, entries: readonly ConfigEntry[], layer: LayerInfo): void {
  if (layer.type !== "" || layer.typedByRank === undefined) return;
  for (let i = entries.length - 1; i >= 0; i--) {
    const { opTypes, excludeOpTypes = [] } = entries[i].match;
    if (!matchesName(entries[i].match, layer) || opTypes?.length === 0) continue;
    if (opTypes === undefined && excludeOpTypes.length === 0) return;
    const key = opTypes === undefined ? "exclude_op_types" : "op_types";
    const { entry, rank } = layer.typedByRank;
    throw new QuantError(
      "invalid-config",
      `${where}: config entry ${entries[i].index}, "${key}": expected a type on state dict entry "${entry}" (rank 4 alone is Conv2d, rank 2 is Linear), got none at rank ${rank}; write { data, shape, type }, or decide about "${layer.name}" by op_names in a later config entry`,
      { index: entries[i].index, key, entry, rank },
    );
  }
}
