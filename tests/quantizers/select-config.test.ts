import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { StateDict } from "../../src/core/tensor.js";
import { type ConfigEntry, parseConfigList } from "../../src/quantizers/config-list.js";
import { checkMatches, type LayerInfo, selectConfig } from "../../src/quantizers/select-config.js";
import { stateDictLayers } from "../../src/quantizers/state-dict-layers.js";
import { assertDeviations, readVectors } from "./deviations.js";

type RawEntry = Readonly<Record<string, unknown>>;

const read = (...list: readonly RawEntry[]) => parseConfigList("compress", "QATQuantizer", list);
const selected = (entries: readonly ConfigEntry[], layers: readonly LayerInfo[]) =>
  layers.map((layer) => selectConfig(entries, layer)?.index ?? null);

const MODEL: readonly LayerInfo[] = [
  { name: "conv1", type: "Conv2D" },
  { name: "dw", type: "DepthwiseConv2D" },
  { name: "relu", type: "ReLU" },
  { name: "fc1", type: "Dense" },
  { name: "fc2", type: "Linear" },
];

describe("selectConfig", () => {
  it("gives the last matching entry whole", () => {
    const entries = read(
      { op_types: ["default"], q_bits: 8, quant_start_step: 5 },
      { op_names: ["fc1"], quant_types: ["weight"], quant_bits: 4 },
    );
    assert.deepEqual(selected(entries, MODEL), [0, 0, null, 1, 0]);
    assert.deepEqual(selectConfig(entries, MODEL[3]), {
      index: 1,
      match: { opNames: ["fc1"] },
      exclude: false,
      targets: { weight: { bits: 4 } },
    });
  });

  it("leaves a layer alone where the last match excludes it", () => {
    const entries = read(
      { op_types: ["default"], q_bits: 8 },
      { op_types: ["Linear"], exclude: true },
      { op_names: ["fc2"], q_bits: 4 },
    );
    assert.deepEqual(selected(entries, MODEL), [0, 0, null, null, 2]);
  });

  it("falls back to an earlier entry where exclude_… lists take the layer out of a later one", () => {
    const entries = read(
      { op_types: ["default"], q_bits: 8 },
      { op_names_re: ["fc", "conv"], q_bits: 4, exclude_op_names_re: [".*2$"], exclude_op_types: ["Conv2d"] },
    );
    assert.deepEqual(selected(entries, MODEL), [0, 0, null, 1, 0]);
  });

  it("finds layers by either side's types", () => {
    assert.deepEqual(selected(read({ op_types: ["Linear"], q_bits: 8 }), MODEL), [null, null, null, 0, 0]);
    assert.deepEqual(selected(read({ op_types: ["Conv2d"], q_bits: 8 }), MODEL), [0, 0, null, null, null]);
    assert.deepEqual(selected(read({ op_types: ["DepthwiseConv2D"], q_bits: 8 }), MODEL), [null, 0, null, null, null]);
  });

  it("agrees with sets: ((names ∪ patterns) ∩ types) − exclusions, the last one wins", () => {
    const words = ["conv1", "dw", "relu", "fc1", "fc2"];
    const types = ["Conv2d", "DepthwiseConv2D", "ReLU", "Linear", "default"];
    const membersOfType: Readonly<Record<string, readonly string[]>> = {
      Conv2d: ["conv1", "dw"],
      DepthwiseConv2D: ["dw"],
      ReLU: ["relu"],
      Linear: ["fc1", "fc2"],
      default: ["conv1", "dw", "fc1", "fc2"],
    };
    const membersOfPattern: Readonly<Record<string, readonly string[]>> = {
      fc: ["fc1", "fc2"],
      ".*1$": ["conv1", "fc1"],
      "c|x": ["conv1"],
      "1": [],
    };
    const patterns = Object.keys(membersOfPattern);
    const list = (from: readonly string[]) => fc.option(fc.subarray([...from]), { nil: undefined });
    const entry = fc.record({
      opTypes: list(types),
      opNames: list(words),
      opNamesRe: list(patterns),
      excludeOpTypes: list(types),
      excludeOpNames: list(words),
      excludeOpNamesRe: list(patterns),
      exclude: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (raw) => {
        const entries = raw.map(({ exclude, ...match }, index): ConfigEntry => {
          const given = Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined));
          return { index, match: given, exclude, targets: {} };
        });
        const expected = new Map<string, number | null>(words.map((word) => [word, null]));
        raw.forEach((e, index) => {
          const named =
            e.opNames === undefined && e.opNamesRe === undefined
              ? words
              : [...(e.opNames ?? []), ...(e.opNamesRe ?? []).flatMap((pattern) => membersOfPattern[pattern])];
          const typed = e.opTypes === undefined ? words : e.opTypes.flatMap((type) => membersOfType[type]);
          const out = [
            ...(e.excludeOpNames ?? []),
            ...(e.excludeOpNamesRe ?? []).flatMap((pattern) => membersOfPattern[pattern]),
            ...(e.excludeOpTypes ?? []).flatMap((type) => membersOfType[type]),
          ];
          for (const word of words) {
            if (named.includes(word) && typed.includes(word) && !out.includes(word)) {
              expected.set(word, e.exclude ? null : index);
            }
          }
        });
        assert.deepEqual(selected(entries, MODEL), [...expected.values()]);
      }),
    );
  });
});

describe("checkMatches", () => {
  const fails = (layers: readonly LayerInfo[], list: readonly RawEntry[], message: string, details?: object) =>
    assert.throws(() => checkMatches("compress", read(...list), layers), {
      name: "QuantError",
      code: "invalid-config",
      message,
      ...(details && { details }),
    });

  it("accepts known types that the model has not, its own types, and patterns that find nothing", () => {
    const layers = [...MODEL, { name: "mine", type: "MyLayer" }];
    const types = ["default", "LSTM", "MyLayer", "Dense"];
    checkMatches("compress", read({ op_types: types, op_names_re: ["x+"], q_bits: 8 }), layers);
    checkMatches("compress", [], []);
  });

  it("names an unknown layer name and the nearest", () => {
    fails(
      MODEL,
      [
        { op_types: ["default"], q_bits: 8 },
        { op_names: ["fc1", "fc3"], q_bits: 4 },
      ],
      'compress: config entry 1, "op_names": expected names of layers ("fc1", "fc2", "dw", "relu", "conv1"), got "fc3"',
      { index: 1, key: "op_names", value: "fc3", choices: ["conv1", "dw", "relu", "fc1", "fc2"] },
    );
    fails(
      MODEL,
      [{ op_types: ["default"], exclude_op_names: ["conv"], q_bits: 4 }],
      'compress: config entry 0, "exclude_op_names": expected names of layers ("conv1", "dw", "relu", "fc1", "fc2"), got "conv"',
    );
  });

  it("names an unknown layer type and the nearest", () => {
    fails(
      MODEL,
      [{ op_types: ["conv2d"], q_bits: 8 }],
      'compress: config entry 0, "op_types": expected types of layers ("Conv2D", "Conv2d", "Conv1d", "Conv1D", "Conv3d", "Conv3D", … 75 more), got "conv2d"',
    );
    fails(
      MODEL,
      [{ op_names: ["fc1"], exclude_op_types: ["Liner"], q_bits: 8 }],
      'compress: config entry 0, "exclude_op_types": expected types of layers ("Linear", "Bilinear", "Dense", "RNN", "LSTM", "Tanh", … 75 more), got "Liner"',
    );
  });
});

describe("checkMatches of a state dict", () => {
  const tensor = (...shape: number[]) => ({ data: new Float32Array(0), shape });
  const check = (state: StateDict, ...list: readonly RawEntry[]) =>
    checkMatches("compress", read(...list), stateDictLayers("compress", state));

  it("knows Conv2d and Linear by rank, and leaves layers without matrices out", () => {
    const state = { "conv.weight": tensor(8, 3, 3, 3), "bn.weight": tensor(8), "fc.weight": tensor(4, 8) };
    const layers = stateDictLayers("compress", state);
    for (const types of [["Conv2d"], ["Conv2D"]]) {
      const entries = read({ op_types: types, q_bits: 8 });
      checkMatches("compress", entries, layers);
      assert.deepEqual(selected(entries, layers), [0, null, null]);
    }
    const everything = read({ op_types: ["default"], q_bits: 8 }, { op_names: ["bn"], exclude: true });
    checkMatches("compress", everything, layers);
    assert.deepEqual(selected(everything, layers), [0, null, 0]);
  });

  it("refuses a type that only a type on the entry could tell", () => {
    const state = { "emb.weight": tensor(100, 16), "fc.weight": tensor(4, 8) };
    assert.throws(() => check(state, { op_types: ["Linear", "Embedding"], q_bits: 8 }), {
      code: "invalid-config",
      message:
        'compress: config entry 0, "op_types": expected types that state dict entries carry or their rank tells (rank 4 is Conv2d, rank 2 is Linear), got "Embedding"; give the entries it means a type, as in "emb.weight": { data, shape, type: "Embedding" }',
    });
    const typed = { ...state, "emb.weight": { ...tensor(100, 16), type: "Embedding" } };
    check(typed, { op_types: ["Linear", "Embedding"], q_bits: 8 });
  });

  it("refuses to guess the type of a layer of another rank, unless names decide about it", () => {
    const state = { "audio.weight": tensor(8, 4, 3), "fc.weight": tensor(4, 8) };
    const everything = { op_types: ["default"], q_bits: 8 };
    const message = (index: number, key: string) =>
      `compress: config entry ${index}, "${key}": expected a type on state dict entry "audio.weight" (rank 4 alone is Conv2d, rank 2 is Linear), got none at rank 3; write { data, shape, type }, or decide about "audio" by op_names in a later config entry`;
    assert.throws(() => check(state, everything), {
      code: "invalid-config",
      message: message(0, "op_types"),
      details: { index: 0, key: "op_types", entry: "audio.weight", rank: 3 },
    });
    assert.throws(() => check(state, everything, { op_names: ["audio"], exclude_op_types: ["Linear"], q_bits: 8 }), {
      message: message(1, "exclude_op_types"),
    });
    check(state, everything, { op_names: ["audio"], exclude: true });
    check(state, { ...everything, exclude_op_names: ["audio"] });
    check(state, { op_names: ["fc"], op_types: ["Linear"], q_bits: 8 });
    check(state, { op_types: [], q_bits: 8 });
    check({ ...state, "audio.weight": { ...tensor(8, 4, 3), type: "Conv1d" } }, everything);
  });
});

describe("selectConfig: NNI v1's select_config", () => {
  type Selection = readonly (number | null)[];
  interface SelectCase {
    readonly config_list: readonly RawEntry[];
    readonly selected: Readonly<Record<"v1.1" | "v1.2" | "v1.4" | "v1.9", Selection>>;
  }
  const { meta, cases } = readVectors<{ meta: { layers: LayerInfo[] }; cases: SelectCase[] }>("nni_select_config_v1");
  const names = meta.layers.map(({ name }) => name);

  /** What the entries select, by their place in the list they come from. */
  const select = (list: readonly RawEntry[], places: readonly number[]) =>
    selected(read(...list), meta.layers).map((i) => (i === null ? null : places[i]));
  const equal = (a: Selection, b: Selection) => a.every((value, i) => value === b[i]);
  const withoutEmpty = (key: string, entry: RawEntry) =>
    Object.fromEntries(Object.entries(entry).filter(([k, value]) => k !== key || (value as string[]).length > 0));
  const hasWord = ({ config_list }: SelectCase) => config_list.some(({ op_types }) => typeof op_types === "string");

  it("v1.4 and v1.9: 90 lists, equal but for 23 in 2 deviations", () => {
    const differing = cases.filter((one) => {
      assert.deepEqual(one.selected["v1.4"], one.selected["v1.9"]);
      if (hasWord(one)) return true;
      return !equal(selected(read(...one.config_list), meta.layers), one.selected["v1.9"]);
    });
    assertDeviations(
      differing,
      {
        // NNI walks the letters of the string, so that it matches no layer.
        "op_types as a string is an error": (one) => {
          if (!hasWord(one)) return false;
          const index = one.config_list.findIndex(({ op_types }) => typeof op_types === "string");
          assert.throws(() => read(...one.config_list), {
            code: "invalid-config",
            message: `compress: config entry ${index}, "op_types": expected an array of strings, got "default"`,
          });
          return true;
        },
        // Exactly what NNI does once `exclude: false` is read as `exclude: true`.
        "exclude: false excludes nothing": (one) => {
          if (hasWord(one) || !one.config_list.some(({ exclude }) => exclude === false)) return false;
          const excluding = one.config_list.map((entry) => ("exclude" in entry ? { ...entry, exclude: true } : entry));
          return equal(selected(read(...excluding), meta.layers), one.selected["v1.9"]);
        },
      },
      { "op_types as a string is an error": 15, "exclude: false excludes nothing": 8 },
    );
  });

  it("v1.4 and v1.9: unknown names and types, which NNI passes over, are errors in 25 lists", () => {
    let errors = 0;
    for (const one of cases.filter((list) => !hasWord(list))) {
      const unknown = one.config_list.some(
        ({ op_names = [], op_types = [] }) =>
          (op_names as string[]).some((name) => !names.includes(name)) || (op_types as string[]).includes("Nope"),
      );
      const check = () => checkMatches("compress", read(...one.config_list), meta.layers);
      if (unknown) {
        assert.throws(check, { code: "invalid-config", message: /expected (names|types) of layers \(.*\), got "/ });
        errors++;
      } else check();
    }
    assert.equal(errors, 25);
  });

  it("v1.2: equal in all 90 lists without entries that lack a list of op_types, and without empty op_names", () => {
    for (const one of cases) {
      const places = one.config_list.flatMap(({ op_types }, i) => (Array.isArray(op_types) ? [i] : []));
      const list = places.map((i) => withoutEmpty("op_names", one.config_list[i]));
      assert.deepEqual(select(list, places), one.selected["v1.2"]);
    }
  });

  it('v1.1: equal in all 90 lists once empty lists are left out, and "default" counts only as a word by itself', () => {
    for (const one of cases) {
      const list = one.config_list.map(({ op_types = [], op_names = [], ...entry }) => {
        const types =
          op_types === "default" ? ["default"] : (op_types as string[]).map((t) => (t === "default" ? "" : t));
        return {
          ...entry,
          ...(types.length > 0 && { op_types: types }),
          ...((op_names as string[]).length > 0 ? { op_names } : { op_names_re: [""] }),
        };
      });
      assert.deepEqual(select(list, [...list.keys()]), one.selected["v1.1"]);
    }
  });
});

describe("selectConfig: NNI v3's select_modules_by_config", () => {
  interface V3Case {
    readonly op: string;
    readonly config: RawEntry;
    readonly selected: readonly string[] | "error:KeyError";
  }
  const { meta, cases } = readVectors<{ meta: { layers: LayerInfo[] }; cases: V3Case[] }>("nni_config_v3");
  const selections = cases.filter(({ op }) => op === "select_modules_by_config");
  const names = meta.layers.map(({ name }) => name);

  const namesOf = (entries: readonly ConfigEntry[]) =>
    meta.layers.filter((layer) => selectConfig(entries, layer) !== undefined).map(({ name }) => name);
  const same = (ours: readonly string[], nni: readonly string[]) =>
    JSON.stringify([...ours].sort()) === JSON.stringify([...nni].sort());
  const selects = ({ config }: V3Case) => ["op_types", "op_names", "op_names_re"].some((key) => key in config);
  const unknown = ({ config }: V3Case) =>
    Object.entries(config).some(([key, words]) => {
      if (key.endsWith("_re")) return false;
      return (words as string[]).some((word) => (key.endsWith("names") ? !names.includes(word) : word === "Nope"));
    });

  it("80 configs, equal but for 24 in 3 deviations", () => {
    assert.equal(selections.length, 80);
    const differing = selections.filter((one) => {
      if (!selects(one) || one.selected === "error:KeyError") return true;
      return !same(namesOf(read({ ...one.config, quant_dtype: "int8" })), one.selected);
    });
    assertDeviations(
      differing,
      {
        "an entry that selects no layer is an error (NNI: no layers)": (one) => {
          if (selects(one)) return false;
          assert.deepEqual(one.selected, []);
          assert.throws(() => read({ ...one.config, quant_dtype: "int8" }), {
            code: "invalid-config",
            message: /^compress: config entry 0: expected "op_types", "op_names" or "op_names_re", got only /,
          });
          return true;
        },
        "an unknown name is a QuantError (NNI: KeyError)": (one) => {
          if (one.selected !== "error:KeyError") return false;
          assert.throws(() => checkMatches("compress", read({ ...one.config, quant_dtype: "int8" }), meta.layers), {
            code: "invalid-config",
            message: /^compress: config entry 0, "op_names": expected names of layers \(.*\), got "missing"$/,
          });
          return true;
        },
        // Exactly what NNI does once the empty lists are taken away.
        "an empty list matches nothing, as in v1.4–v2.10 (v3: as if absent)": (one) => {
          if (!selects(one) || one.selected === "error:KeyError") return false;
          const filled = Object.entries(one.config).filter(([, words]) => (words as string[]).length > 0);
          const config = { ...Object.fromEntries(filled), quant_dtype: "int8" };
          if (filled.length === Object.keys(one.config).length) return false;
          return same(namesOf(read(config)), one.selected);
        },
      },
      {
        "an entry that selects no layer is an error (NNI: no layers)": 13,
        "an unknown name is a QuantError (NNI: KeyError)": 8,
        "an empty list matches nothing, as in v1.4–v2.10 (v3: as if absent)": 3,
      },
    );
  });

  it("unknown names and types, which NNI passes over unless they are all there is, are errors in 25 configs", () => {
    let errors = 0;
    for (const one of selections.filter(selects)) {
      const check = () => checkMatches("compress", read({ ...one.config, quant_dtype: "int8" }), meta.layers);
      if (unknown(one)) {
        assert.throws(check, { code: "invalid-config" });
        errors++;
      } else check();
    }
    assert.equal(errors, 25);
  });
});
