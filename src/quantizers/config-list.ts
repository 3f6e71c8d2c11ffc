import { QuantError } from "../core/errors.js";
import type { Granularity } from "../core/granularity.js";
import { namePattern } from "./name-pattern.js";
import { type Abilities, QUANTIZERS, type Spelling } from "./quantizer-abilities.js";
import {
  invalid,
  isRecord,
  isStrings,
  missing,
  quoted,
  type Reading,
  readInteger,
  readMeaning,
  readStrings,
  readWords,
  show,
} from "./read-config-value.js";

/** What of a layer is quantized. */
export type TargetName = "weight" | "input" | "output";

/** One value for every target, or a value per target. */
type PerTarget<T> = T | Partial<Readonly<Record<TargetName, T>>>;

/** Settings of one target in NNI v3's spelling. */
interface TargetSettings {
  /** `int8`, `uint4` …; null leaves the target as it is. */
  readonly quant_dtype: string | null;
  readonly quant_scheme?: "affine" | "symmetric";
  /** `default`: one scale per tensor; `out_channel`: one per output channel (weights only). */
  readonly granularity?: "default" | "out_channel";
}

/** One entry of a config list as NNI spells it: keys that select layers, and keys of one of the three spellings. */
interface RawConfigEntry {
  readonly op_types?: readonly string[];
  readonly op_names?: readonly string[];
  readonly op_names_re?: readonly string[];
  readonly exclude_op_types?: readonly string[];
  readonly exclude_op_names?: readonly string[];
  readonly exclude_op_names_re?: readonly string[];
  /** true leaves the selected layers as they are. */
  readonly exclude?: boolean;

  /** v1.1: bits of everything the quantizer quantizes. */
  readonly q_bits?: number;

  /** v1.2–v2.10: what is quantized. */
  readonly quant_types?: readonly TargetName[];
  readonly quant_bits?: PerTarget<number>;
  /** v1.2–v2.10: `int` or `uint`, by target or for all; v3: `int8`, `uint4` … or null. */
  readonly quant_dtype?: PerTarget<string> | null;
  /** v1.2–v2.10: `per_tensor_affine`, `per_channel_symmetric` …, by target or for all; v3: `affine` or `symmetric`. */
  readonly quant_scheme?: PerTarget<string>;

  /** v3: `weight`, `_input_`, `_output_`; all of them where absent. */
  readonly target_names?: readonly string[];
  readonly target_settings?: Readonly<Record<string, TargetSettings>>;
  readonly granularity?: "default" | "out_channel";
  /** v3: accepted; what is fused is found in the model. */
  readonly fuse_names?: readonly (readonly string[])[];

  /** Steps that only track ranges before quantization begins. */
  readonly quant_start_step?: number;
  /** bitpress: channel axis of the weights, instead of their layout's; −1 is the last. */
  readonly axis?: number;
}

/** A quantizer's configuration in NNI's spelling: the last entry that matches a layer configures it, whole. */
export type ConfigList = readonly RawConfigEntry[];

/** Which layers an entry means; see selectConfig. */
export interface ConfigMatch {
  readonly opTypes?: readonly string[];
  readonly opNames?: readonly string[];
  readonly opNamesRe?: readonly string[];
  readonly excludeOpTypes?: readonly string[];
  readonly excludeOpNames?: readonly string[];
  readonly excludeOpNamesRe?: readonly string[];
}

/** How one target is quantized; what the entry did not say is absent and means the quantizer's default. */
interface TargetConfig {
  /** 32 means untouched (DoReFaQuantizer only). */
  readonly bits: number;
  readonly signed?: boolean;
  readonly symmetric?: boolean;
  /** Weights only: activations have one scale per tensor. */
  readonly granularity?: Granularity;
}

/** One entry of a config list, the same in whatever spelling it was written. */
export interface ConfigEntry {
  /** Place in the config list. */
  readonly index: number;
  readonly match: ConfigMatch;
  /** Whether the layers it selects stay as they are. */
  readonly exclude: boolean;
  readonly targets: Readonly<Partial<Record<TargetName, TargetConfig>>>;
  readonly quantStartStep?: number;
  readonly axis?: number;
}

export type QuantizerName = "NaiveQuantizer" | "QATQuantizer" | "DoReFaQuantizer";

const SELECTION_KEYS = [
  "op_types",
  "op_names",
  "op_names_re",
  "exclude_op_types",
  "exclude_op_names",
  "exclude_op_names_re",
] as const;

/** Keys that tell in which spelling an entry is written, in the order they are looked for. */
const SPELLINGS: readonly (readonly [Spelling, readonly string[]])[] = [
  ["v1.1", ["q_bits"]],
  ["v1.2", ["quant_types", "quant_bits"]],
  ["v3", ["target_names", "target_settings", "quant_dtype", "quant_scheme", "granularity", "fuse_names"]],
];

/** NNI v3's names of the targets; a layer has one input and one output here. */
const TARGET_OF_V3: Readonly<Record<string, TargetName>> = {
  weight: "weight",
  _input_: "input",
  _output_: "output",
  _input_0: "input",
  _output_0: "output",
};

const SCHEMES: Readonly<Record<string, Pick<TargetConfig, "symmetric" | "granularity">>> = {
  per_tensor_affine: { symmetric: false, granularity: "perTensor" },
  per_tensor_symmetric: { symmetric: true, granularity: "perTensor" },
  per_channel_affine: { symmetric: false, granularity: "perChannel" },
  per_channel_symmetric: { symmetric: true, granularity: "perChannel" },
};
const TENSOR_SCHEMES = {
  per_tensor_affine: SCHEMES.per_tensor_affine,
  per_tensor_symmetric: SCHEMES.per_tensor_symmetric,
};
const DTYPES: Readonly<Record<string, boolean>> = { int: true, uint: false };
const SCHEMES_OF_V3: Readonly<Record<string, boolean>> = { affine: false, symmetric: true };
const GRANULARITIES: Readonly<Record<string, Granularity>> = { default: "perTensor", out_channel: "perChannel" };
const TENSOR_GRANULARITIES: Readonly<Record<string, Granularity>> = { default: "perTensor" };

/**
 * Reads a config list in any of NNI's spellings, which may differ from entry to entry, into plain entries.
 *
 * `where` begins the message of every error. Names and types are not compared with a model: that is checkMatches.
 * Errors: QuantError `invalid-config`, naming the entry, the key, the choices and what was found, for anything that is
 * not a key, a type of value or a value of this quantizer's config list.
 * Source: validate_config of NNI v1.5 and v2.10, default_config_schema and trans_legacy_config_list of v3.
 */
export function parseConfigList(where: string, quantizer: QuantizerName, list: unknown): readonly ConfigEntry[] {
  if (!Array.isArray(list)) {
    throw new QuantError("invalid-config", `${where}: expected a config list, an array of entries, got ${show(list)}`);
  }
  return Array.from(list, (raw: unknown, index) => parseEntry(where, QUANTIZERS[quantizer], raw, index));
}

function parseEntry(where: string, abilities: Abilities, given: unknown, index: number): ConfigEntry {
  if (!isRecord(given)) {
    throw new QuantError("invalid-config", `${where}: config entry ${index}: expected an object, got ${show(given)}`, {
      index,
      found: given,
    });
  }
  const raw = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const reading: Reading = { where, index, abilities, raw, exclude: raw.exclude === true };
  const spelling = SPELLINGS.find(([, keys]) => keys.some((key) => key in raw))?.[0];
  checkKeys(reading, spelling);
  const match = readMatch(reading);
  if (raw.exclude !== undefined && typeof raw.exclude !== "boolean") {
    throw invalid(reading, "exclude", "true or false", raw.exclude);
  }
  if (spelling === undefined && !reading.exclude) {
    throw missing(reading, '"quant_types" and "quant_bits", "quant_dtype", "q_bits", or "exclude": true');
  }
  const targets = spelling === undefined ? {} : TARGET_READERS[spelling](reading);
  return {
    index,
    match,
    exclude: reading.exclude,
    targets: reading.exclude ? {} : targets,
    ...(raw.quant_start_step !== undefined && {
      quantStartStep: readInteger(reading, "quant_start_step", raw.quant_start_step, "an integer ≥ 0", (n) => n >= 0),
    }),
    ...(raw.axis !== undefined && { axis: readInteger(reading, "axis", raw.axis, "an integer", () => true) }),
  };
}

/** Only keys of the entry's own spelling: beside another's, it would be open which of the two counts. */
function checkKeys({ where, index, abilities, raw }: Reading, spelling: Spelling | undefined): void {
  const own = spelling === undefined ? Object.values(abilities.keys).flat() : abilities.keys[spelling];
  const choices = [...new Set([...SELECTION_KEYS, "exclude", ...own, ...abilities.extras])];
  const key = Object.keys(raw).find((name) => !choices.includes(name));
  if (key === undefined) return;
  const beside = own.find((name) => name in raw);
  throw new QuantError(
    "invalid-config",
    `${where}: config entry ${index}: expected keys among ${quoted(choices)}${beside === undefined ? "" : ` beside "${beside}"`}, got ${JSON.stringify(key)}`,
    { index, key, choices },
  );
}

function readMatch(reading: Reading): ConfigMatch {
  const { raw } = reading;
  if (raw.op_types === undefined && raw.op_names === undefined && raw.op_names_re === undefined) {
    throw missing(
      reading,
      '"op_types", "op_names" or "op_names_re"',
      'op_types: ["default"] is every layer with weights',
    );
  }
  return {
    ...(raw.op_types !== undefined && { opTypes: readStrings(reading, "op_types") }),
    ...(raw.op_names !== undefined && { opNames: readStrings(reading, "op_names") }),
    ...(raw.op_names_re !== undefined && { opNamesRe: readPatterns(reading, "op_names_re") }),
    ...(raw.exclude_op_types !== undefined && { excludeOpTypes: readStrings(reading, "exclude_op_types") }),
    ...(raw.exclude_op_names !== undefined && { excludeOpNames: readStrings(reading, "exclude_op_names") }),
    ...(raw.exclude_op_names_re !== undefined && { excludeOpNamesRe: readPatterns(reading, "exclude_op_names_re") }),
  };
}

type Targets = Partial<Record<TargetName, TargetConfig>>;

const TARGET_READERS: Readonly<Record<Spelling, (reading: Reading) => Targets>> = {
  "v1.1": (reading) => {
    const bits = readBits(reading, "q_bits", reading.raw.q_bits);
    return Object.fromEntries(reading.abilities.targets.map((target) => [target, { bits }]));
  },

  "v1.2": (reading) => {
    const { raw, exclude, abilities } = reading;
    const types = raw.quant_types === undefined ? [] : readWords(reading, "quant_types", abilities.targets);
    const bits = readPerTarget(reading, "quant_bits", (key, value) => readBits(reading, key, value));
    const signed = readPerTarget(reading, "quant_dtype", (key, value) => readMeaning(reading, key, value, DTYPES));
    const scheme = readPerTarget(reading, "quant_scheme", (key, value, target) =>
      readMeaning(reading, key, value, target === "input" || target === "output" ? TENSOR_SCHEMES : SCHEMES),
    );
    if (exclude) return {};
    if (raw.quant_types === undefined) throw missing(reading, '"quant_types" beside "quant_bits"');
    return Object.fromEntries(
      types.map((target) => {
        const width = bits(target);
        if (width === undefined) throw missing(reading, `"quant_bits" for quant type "${target}"`);
        return [target, targetConfig(target, { bits: width, signed: signed(target), ...scheme(target) })];
      }),
    );
  },

  v3: (reading) => {
    const { raw, exclude, abilities } = reading;
    const names = Object.keys(TARGET_OF_V3).filter((name) => abilities.targets.includes(TARGET_OF_V3[name]));
    const asked = raw.target_names === undefined ? undefined : readWords(reading, "target_names", names);
    const shared = readSettings(reading, "", raw);
    const own = readTargetSettings(reading, names);
    if (raw.fuse_names !== undefined) checkFuseNames(reading, raw.fuse_names);
    if (exclude) return {};
    if (asked === undefined && shared.dtype === undefined && own.size === 0) throw missing(reading, '"quant_dtype"');
    const targets: Targets = {};
    for (const target of asked?.map((name) => TARGET_OF_V3[name]) ?? abilities.targets) {
      const { dtype, ...settings } = { ...shared, ...own.get(target) };
      if (dtype === undefined && asked !== undefined) throw missing(reading, `"quant_dtype" for the ${target}`);
      if (dtype) targets[target] = targetConfig(target, { ...dtype, ...settings });
    }
    return targets;
  },
};

/** Leaves out what was not said, and the granularity of activations: a setting for all targets means the weights'. */
function targetConfig(target: TargetName, config: Maybe<TargetConfig> & { readonly bits: number }): TargetConfig {
  const { bits, signed, symmetric, granularity } = config;
  return {
    bits,
    ...(signed !== undefined && { signed }),
    ...(symmetric !== undefined && { symmetric }),
    ...(granularity !== undefined && target === "weight" && { granularity }),
  };
}

type Maybe<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** v3's quant_dtype. */
interface Dtype {
  readonly bits: number;
  readonly signed: boolean;
}

/** v3's settings of a target, or of all of them; a null dtype leaves the target as it is. */
interface Settings {
  readonly dtype?: Dtype | null;
  readonly symmetric?: boolean;
  readonly granularity?: Granularity;
}

function readTargetSettings(reading: Reading, names: readonly string[]): ReadonlyMap<TargetName, Settings> {
  const { target_settings: given = {} } = reading.raw;
  if (!isRecord(given)) throw invalid(reading, "target_settings", "an object of settings by target", given);
  const keys = ["quant_dtype", "quant_scheme", "granularity"].filter((key) => reading.abilities.keys.v3.includes(key));
  return new Map(
    Object.entries(given).map(([name, settings]) => {
      const path = `target_settings.${name}`;
      if (!names.includes(name)) throw invalid(reading, "target_settings", `targets among ${quoted(names)}`, name);
      if (!isRecord(settings)) throw invalid(reading, path, "an object", settings);
      const stray = Object.keys(settings).find((key) => !keys.includes(key));
      if (stray !== undefined) throw invalid(reading, path, `keys among ${quoted(keys)}`, stray);
      if (settings.quant_dtype === undefined) throw missing(reading, `"${path}.quant_dtype"`);
      return [TARGET_OF_V3[name], readSettings(reading, `${path}.`, settings, TARGET_OF_V3[name])];
    }),
  );
}

function readSettings(
  reading: Reading,
  path: string,
  { quant_dtype, quant_scheme, granularity }: Readonly<Record<string, unknown>>,
  target?: TargetName,
): Settings {
  const granularities = target === "input" || target === "output" ? TENSOR_GRANULARITIES : GRANULARITIES;
  return {
    ...(quant_dtype !== undefined && { dtype: readDtype(reading, `${path}quant_dtype`, quant_dtype) }),
    ...(quant_scheme !== undefined && {
      symmetric: readMeaning(reading, `${path}quant_scheme`, quant_scheme, SCHEMES_OF_V3),
    }),
    ...(granularity !== undefined && {
      granularity: readMeaning(reading, `${path}granularity`, granularity, granularities),
    }),
  };
}

function readDtype(reading: Reading, key: string, value: unknown): Dtype | null {
  if (value === null) return null;
  const { dtypes, unsigned } = reading.abilities;
  const [, prefix, digits] = (typeof value === "string" && /^(u?)int([1-9]\d*)$/.exec(value)) || [];
  const bits = Number(digits);
  const signed = prefix === "";
  if (isWidth(reading, bits) && (signed || unsigned)) return { bits, signed };
  throw invalid(reading, key, `${dtypes} or null`, value);
}

function checkFuseNames(reading: Reading, value: unknown): void {
  if (Array.isArray(value) && value.every(isStrings)) return;
  throw invalid(reading, "fuse_names", "an array of arrays of strings", value);
}

/** A value for every target or an object by target, as a function of the target; undefined where nothing was said. */
function readPerTarget<T>(
  reading: Reading,
  key: string,
  read: (key: string, value: unknown, target?: TargetName) => T,
): (target: TargetName) => T | undefined {
  const value = reading.raw[key];
  if (value === undefined) return () => undefined;
  if (!isRecord(value)) {
    const shared = read(key, value);
    return () => shared;
  }
  const { targets } = reading.abilities;
  const stray = Object.keys(value).find((name) => !targets.some((target) => target === name));
  if (stray !== undefined) throw invalid(reading, key, `quant types among ${quoted(targets)}`, stray);
  const given = targets.filter((target) => value[target] !== undefined);
  const byTarget = new Map(given.map((target) => [target, read(`${key}.${target}`, value[target], target)]));
  return (target) => byTarget.get(target);
}

function readBits(reading: Reading, key: string, value: unknown): number {
  return readInteger(reading, key, value, reading.abilities.widths, (bits) => isWidth(reading, bits));
}

function isWidth({ abilities, exclude }: Reading, bits: number): boolean {
  return abilities.isWidth(bits) || (exclude && bits === 32);
}

function readPatterns(reading: Reading, key: string): readonly string[] {
  const patterns = readStrings(reading, key);
  for (const pattern of patterns) {
    try {
      namePattern(pattern);
    } catch {
      throw invalid(reading, key, "regular expressions of JavaScript", pattern);
    }
  }
  return patterns;
}
