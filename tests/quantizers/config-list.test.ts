import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type ConfigList, QuantError } from "../../src/index.js";
import { parseConfigList, type QuantizerName } from "../../src/quantizers/config-list.js";
import { checkMatches, type LayerInfo, selectConfig } from "../../src/quantizers/select-config.js";
import { assertDeviations, readVectors } from "./deviations.js";

const SELECTION =
  '"op_types", "op_names", "op_names_re", "exclude_op_types", "exclude_op_names", "exclude_op_names_re", "exclude"';
const V3_TARGETS = '"weight", "_input_", "_output_", "_input_0", "_output_0"';

const parse = (quantizer: QuantizerName, ...list: unknown[]) => parseConfigList("compress", quantizer, list);
const targetsOf = (quantizer: QuantizerName, entry: object) =>
  parse(quantizer, { op_types: ["default"], ...entry })[0].targets;

describe("parseConfigList: the spellings", () => {
  it("reads v1.1, v1.2 and v3 into the same targets", () => {
    const targets = { weight: { bits: 8 }, input: { bits: 8 }, output: { bits: 8 } };
    assert.deepEqual(targetsOf("QATQuantizer", { q_bits: 8 }), targets);
    assert.deepEqual(targetsOf("QATQuantizer", { quant_types: ["weight", "input", "output"], quant_bits: 8 }), targets);
    const signed = { bits: 8, signed: true };
    assert.deepEqual(targetsOf("QATQuantizer", { quant_dtype: "int8" }), {
      weight: signed,
      input: signed,
      output: signed,
    });
  });

  it("may change the spelling from entry to entry", () => {
    const list: ConfigList = [
      { op_types: ["default"], q_bits: 8 },
      { op_names: ["conv1"], quant_types: ["weight"], quant_bits: { weight: 4 } },
      { op_names_re: ["fc.*"], target_names: ["weight"], quant_dtype: "int4", exclude_op_names: ["fc2"] },
      { op_types: ["Embedding"], exclude: true },
    ];
    assert.deepEqual(parseConfigList("compress", "QATQuantizer", list), [
      {
        index: 0,
        match: { opTypes: ["default"] },
        exclude: false,
        targets: { weight: { bits: 8 }, input: { bits: 8 }, output: { bits: 8 } },
      },
      { index: 1, match: { opNames: ["conv1"] }, exclude: false, targets: { weight: { bits: 4 } } },
      {
        index: 2,
        match: { opNamesRe: ["fc.*"], excludeOpNames: ["fc2"] },
        exclude: false,
        targets: { weight: { bits: 4, signed: true } },
      },
      { index: 3, match: { opTypes: ["Embedding"] }, exclude: true, targets: {} },
    ]);
  });

  it("reads every key of the v1.2 spelling, by target or for all", () => {
    assert.deepEqual(
      parse("QATQuantizer", {
        op_types: ["Conv2d"],
        op_names: ["conv1"],
        exclude: false,
        quant_types: ["weight", "output"],
        quant_bits: { weight: 4, input: 6, output: 8 },
        quant_dtype: { weight: "int", output: "uint" },
        quant_scheme: { weight: "per_channel_symmetric", output: "per_tensor_affine" },
        quant_start_step: 100,
        axis: -1,
      }),
      [
        {
          index: 0,
          match: { opTypes: ["Conv2d"], opNames: ["conv1"] },
          exclude: false,
          targets: {
            weight: { bits: 4, signed: true, symmetric: true, granularity: "perChannel" },
            output: { bits: 8, signed: false, symmetric: false },
          },
          quantStartStep: 100,
          axis: -1,
        },
      ],
    );
  });

  it("means the weights where a scheme or granularity for all targets is per channel", () => {
    const expected = {
      weight: { bits: 8, symmetric: true, granularity: "perChannel" },
      input: { bits: 8, symmetric: true },
    };
    assert.deepEqual(
      targetsOf("QATQuantizer", {
        quant_types: ["weight", "input"],
        quant_bits: 8,
        quant_scheme: "per_channel_symmetric",
      }),
      expected,
    );
    assert.deepEqual(
      targetsOf("QATQuantizer", {
        target_names: ["weight", "_input_"],
        quant_dtype: "int8",
        quant_scheme: "symmetric",
        granularity: "out_channel",
      }),
      {
        weight: { bits: 8, signed: true, symmetric: true, granularity: "perChannel" },
        input: { bits: 8, signed: true, symmetric: true },
      },
    );
  });

  it("reads v3's target settings over the settings for all", () => {
    assert.deepEqual(
      targetsOf("QATQuantizer", {
        quant_dtype: "int8",
        quant_scheme: "affine",
        granularity: "default",
        fuse_names: [["conv1", "bn1"]],
        target_settings: {
          weight: { quant_dtype: "int4", quant_scheme: "symmetric", granularity: "out_channel" },
          _output_0: { quant_dtype: null },
        },
      }),
      {
        weight: { bits: 4, signed: true, symmetric: true, granularity: "perChannel" },
        input: { bits: 8, signed: true, symmetric: false },
      },
    );
    assert.deepEqual(targetsOf("QATQuantizer", { target_settings: { _input_: { quant_dtype: "uint8" } } }), {
      input: { bits: 8, signed: false },
    });
    assert.deepEqual(
      targetsOf("QATQuantizer", {
        target_names: ["weight"],
        quant_dtype: "int8",
        target_settings: { _input_: { quant_dtype: "int4" } },
      }),
      { weight: { bits: 8, signed: true } },
    );
  });

  it("quantizes nothing for an empty list of types, a null dtype and an exclusion, whose other keys may stay", () => {
    assert.deepEqual(targetsOf("QATQuantizer", { quant_types: [], quant_bits: 8 }), {});
    assert.deepEqual(targetsOf("QATQuantizer", { target_names: [], quant_dtype: "int8" }), {});
    assert.deepEqual(targetsOf("QATQuantizer", { quant_dtype: null }), {});
    assert.deepEqual(targetsOf("QATQuantizer", { exclude: true, quant_types: ["weight"], quant_bits: 32 }), {});
    assert.deepEqual(targetsOf("QATQuantizer", { exclude: true, quant_dtype: "int32" }), {});
  });

  it("gives NaiveQuantizer 8-bit weights", () => {
    const weight = { bits: 8 };
    assert.deepEqual(targetsOf("NaiveQuantizer", { q_bits: 8 }), { weight });
    assert.deepEqual(targetsOf("NaiveQuantizer", { quant_types: ["weight"], quant_bits: { weight: 8 } }), { weight });
    assert.deepEqual(targetsOf("NaiveQuantizer", { quant_dtype: "int8", granularity: "default" }), {
      weight: { bits: 8, signed: true, granularity: "perTensor" },
    });
    assert.equal(parse("NaiveQuantizer", { op_types: ["default"], q_bits: 8, axis: 1 })[0].axis, 1);
  });

  it("gives DoReFaQuantizer 1…16 bits, and 32 for untouched", () => {
    assert.deepEqual(
      targetsOf("DoReFaQuantizer", { quant_types: ["weight", "output"], quant_bits: { weight: 1, output: 2 } }),
      { weight: { bits: 1 }, output: { bits: 2 } },
    );
    assert.deepEqual(targetsOf("DoReFaQuantizer", { quant_types: ["weight"], quant_bits: 32 }), {
      weight: { bits: 32 },
    });
    assert.deepEqual(targetsOf("DoReFaQuantizer", { target_names: ["weight"], quant_dtype: "uint16" }), {
      weight: { bits: 16, signed: false },
    });
  });

  it("takes undefined as absent and leaves the given list alone", () => {
    const list = [{ op_types: ["default"], op_names: undefined, q_bits: 8, exclude: undefined }];
    const copy = structuredClone(list);
    const [entry] = parseConfigList("compress", "NaiveQuantizer", list);
    assert.deepEqual(entry.match, { opTypes: ["default"] });
    assert.deepEqual(list, copy);
    assert.notEqual(entry.match.opTypes, list[0].op_types);
    assert.deepEqual(parseConfigList("compress", "NaiveQuantizer", []), []);
  });
});

describe("parseConfigList: errors", () => {
  const weights = { op_types: ["default"], quant_types: ["weight"], quant_bits: 8 };
  const v3 = { op_types: ["default"], quant_dtype: "int8" };
  const cases: readonly (readonly [QuantizerName, object | string | null, string])[] = [
    // entries
    ["QATQuantizer", "conv1", 'expected an object, got "conv1"'],
    ["QATQuantizer", null, "expected an object, got null"],
    ["QATQuantizer", [weights], "expected an object, got [{ op_types, quant_types, quant_bits }]"],
    // keys
    [
      "NaiveQuantizer",
      { bad_key: "abc" },
      `expected keys among ${SELECTION}, "q_bits", "quant_types", "quant_bits", "target_names", "target_settings", "quant_dtype", "granularity", "axis", got "bad_key"`,
    ],
    [
      "NaiveQuantizer",
      { ...weights, quant_scheme: "per_tensor_symmetric" },
      `expected keys among ${SELECTION}, "quant_types", "quant_bits", "axis" beside "quant_types", got "quant_scheme"`,
    ],
    [
      "QATQuantizer",
      { ...weights, target_settings: {} },
      `expected keys among ${SELECTION}, "quant_types", "quant_bits", "quant_dtype", "quant_scheme", "axis", "quant_start_step" beside "quant_types", got "target_settings"`,
    ],
    [
      "QATQuantizer",
      { ...weights, q_bits: 8 },
      `expected keys among ${SELECTION}, "q_bits", "axis", "quant_start_step" beside "q_bits", got "quant_types"`,
    ],
    [
      "DoReFaQuantizer",
      { ...weights, quant_start_step: 10 },
      `expected keys among ${SELECTION}, "quant_types", "quant_bits" beside "quant_types", got "quant_start_step"`,
    ],
    // layers
    [
      "QATQuantizer",
      { quant_types: ["weight"], quant_bits: 8 },
      'expected "op_types", "op_names" or "op_names_re", got only "quant_types", "quant_bits"; op_types: ["default"] is every layer with weights',
    ],
    [
      "QATQuantizer",
      {},
      'expected "op_types", "op_names" or "op_names_re", got no keys; op_types: ["default"] is every layer with weights',
    ],
    ["QATQuantizer", { ...weights, op_types: "default" }, '"op_types": expected an array of strings, got "default"'],
    ["QATQuantizer", { ...weights, op_names: [1] }, '"op_names": expected an array of strings, got [1]'],
    [
      "QATQuantizer",
      { ...v3, exclude_op_names: { a: 1 } },
      '"exclude_op_names": expected an array of strings, got { a }',
    ],
    [
      "QATQuantizer",
      { ...v3, op_names_re: ["(?P<n>conv)"] },
      '"op_names_re": expected regular expressions of JavaScript, got "(?P<n>conv)"',
    ],
    ["QATQuantizer", { ...weights, exclude: "yes" }, '"exclude": expected true or false, got "yes"'],
    ["QATQuantizer", { ...weights, exclude: 1 }, '"exclude": expected true or false, got 1'],
    // what is quantized
    [
      "QATQuantizer",
      { op_names: ["conv1"], exclude: false },
      'expected "quant_types" and "quant_bits", "quant_dtype", "q_bits", or "exclude": true, got only "op_names", "exclude"',
    ],
    ["QATQuantizer", { op_names: ["a"], q_bits: 1 }, '"q_bits": expected an integer in 2…16, got 1'],
    ["NaiveQuantizer", { op_names: ["a"], q_bits: 4 }, '"q_bits": expected 8, got 4'],
    ["NaiveQuantizer", { ...weights, quant_bits: 16 }, '"quant_bits": expected 8, got 16'],
    ["QATQuantizer", { ...weights, quant_bits: 31 }, '"quant_bits": expected an integer in 2…16, got 31'],
    ["QATQuantizer", { ...weights, quant_bits: "8" }, '"quant_bits": expected an integer in 2…16, got "8"'],
    ["QATQuantizer", { ...weights, quant_bits: 7.5 }, '"quant_bits": expected an integer in 2…16, got 7.5'],
    ["QATQuantizer", { ...weights, quant_bits: Number.NaN }, '"quant_bits": expected an integer in 2…16, got NaN'],
    ["QATQuantizer", { ...weights, quant_bits: null }, '"quant_bits": expected an integer in 2…16, got null'],
    ["QATQuantizer", { ...weights, quant_bits: [8] }, '"quant_bits": expected an integer in 2…16, got [8]'],
    [
      "DoReFaQuantizer",
      { ...weights, quant_bits: { weight: 17 } },
      '"quant_bits.weight": expected an integer in 1…16, or 32 (untouched), got 17',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_bits: { bias: 8 } },
      '"quant_bits": expected quant types among "weight", "input", "output", got "bias"',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_bits: { input: 8 } },
      'expected "quant_bits" for quant type "weight", got only "op_types", "quant_types", "quant_bits"',
    ],
    [
      "QATQuantizer",
      { op_types: ["default"], quant_types: ["weight"] },
      'expected "quant_bits" for quant type "weight", got only "op_types", "quant_types"',
    ],
    [
      "QATQuantizer",
      { op_types: ["default"], quant_bits: 8 },
      'expected "quant_types" beside "quant_bits", got only "op_types", "quant_bits"',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_types: "weight" },
      '"quant_types": expected an array of "weight", "input", "output", got "weight"',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_types: ["weight", "bias"] },
      '"quant_types": expected words among "weight", "input", "output", got "bias"',
    ],
    [
      "NaiveQuantizer",
      { ...weights, quant_types: ["input"] },
      '"quant_types": expected words among "weight", got "input"',
    ],
    ["QATQuantizer", { ...weights, quant_dtype: "int8" }, '"quant_dtype": expected one of "int", "uint", got "int8"'],
    [
      "QATQuantizer",
      { ...weights, quant_dtype: { weight: "uint8" } },
      '"quant_dtype.weight": expected one of "int", "uint", got "uint8"',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_scheme: "affine" },
      '"quant_scheme": expected one of "per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", got "affine"',
    ],
    [
      "QATQuantizer",
      { ...weights, quant_scheme: { output: "per_channel_affine" } },
      '"quant_scheme.output": expected one of "per_tensor_affine", "per_tensor_symmetric", got "per_channel_affine"',
    ],
    ["QATQuantizer", { ...weights, quant_start_step: -1 }, '"quant_start_step": expected an integer ≥ 0, got -1'],
    ["QATQuantizer", { ...weights, quant_start_step: "3" }, '"quant_start_step": expected an integer ≥ 0, got "3"'],
    ["QATQuantizer", { ...weights, axis: 0.5 }, '"axis": expected an integer, got 0.5'],
    // v3
    [
      "QATQuantizer",
      { op_types: ["default"], quant_dtype: "int" },
      '"quant_dtype": expected "int2" … "int16", "uint2" … "uint16" or null, got "int"',
    ],
    [
      "QATQuantizer",
      { ...v3, quant_dtype: "int32" },
      '"quant_dtype": expected "int2" … "int16", "uint2" … "uint16" or null, got "int32"',
    ],
    ["NaiveQuantizer", { ...v3, quant_dtype: "uint8" }, '"quant_dtype": expected "int8" or null, got "uint8"'],
    [
      "DoReFaQuantizer",
      { ...v3, quant_dtype: 8 },
      '"quant_dtype": expected "int1" … "int16", "uint1" … "uint16", "int32" (untouched) or null, got 8',
    ],
    [
      "QATQuantizer",
      { op_types: ["default"], granularity: "default" },
      'expected "quant_dtype", got only "op_types", "granularity"',
    ],
    [
      "QATQuantizer",
      { op_types: ["default"], target_names: ["weight"] },
      'expected "quant_dtype" for the weight, got only "op_types", "target_names"',
    ],
    [
      "QATQuantizer",
      { ...v3, target_names: ["bias"] },
      `"target_names": expected words among ${V3_TARGETS}, got "bias"`,
    ],
    [
      "NaiveQuantizer",
      { ...v3, target_names: "weight" },
      '"target_names": expected an array of "weight", got "weight"',
    ],
    ["QATQuantizer", { ...v3, quant_scheme: null }, '"quant_scheme": expected one of "affine", "symmetric", got null'],
    [
      "QATQuantizer",
      { ...v3, granularity: "in_channel" },
      '"granularity": expected one of "default", "out_channel", got "in_channel"',
    ],
    [
      "QATQuantizer",
      { ...v3, granularity: [2, 2] },
      '"granularity": expected one of "default", "out_channel", got [2, 2]',
    ],
    ["QATQuantizer", { ...v3, fuse_names: [[1]] }, '"fuse_names": expected an array of arrays of strings, got [[1]]'],
    [
      "QATQuantizer",
      { ...v3, target_settings: 8 },
      '"target_settings": expected an object of settings by target, got 8',
    ],
    [
      "QATQuantizer",
      { ...v3, target_settings: { bias: {} } },
      `"target_settings": expected targets among ${V3_TARGETS}, got "bias"`,
    ],
    [
      "QATQuantizer",
      { ...v3, target_settings: { weight: "int8" } },
      '"target_settings.weight": expected an object, got "int8"',
    ],
    [
      "QATQuantizer",
      { ...v3, target_settings: { weight: {} } },
      'expected "target_settings.weight.quant_dtype", got only "op_types", "quant_dtype", "target_settings"',
    ],
    [
      "NaiveQuantizer",
      { ...v3, target_settings: { weight: { quant_dtype: "int8", quant_scheme: "affine" } } },
      '"target_settings.weight": expected keys among "quant_dtype", "granularity", got "quant_scheme"',
    ],
    [
      "QATQuantizer",
      { ...v3, target_settings: { _output_: { quant_dtype: "int8", granularity: "out_channel" } } },
      '"target_settings._output_.granularity": expected one of "default", got "out_channel"',
    ],
  ];

  for (const [quantizer, entry, expected] of cases) {
    it(`${quantizer}: ${expected}`, () => {
      const valid = { op_types: ["default"], q_bits: 8 };
      const punctuation = expected.startsWith('"') && !expected.startsWith('"expected') ? ", " : ": ";
      assert.throws(() => parse(quantizer, valid, entry), {
        name: "QuantError",
        code: "invalid-config",
        message: `compress: config entry 1${punctuation}${expected}`,
      });
    });
  }

  it("says which entry, key and value as data", () => {
    assert.throws(() => parse("QATQuantizer", { ...weights, quant_bits: 31 }), {
      details: { index: 0, key: "quant_bits", expected: "an integer in 2…16", found: 31 },
    });
  });

  it("refuses what is no list", () => {
    assert.throws(() => parseConfigList("compress", "QATQuantizer", { op_types: ["default"] }), {
      code: "invalid-config",
      message: "compress: expected a config list, an array of entries, got { op_types }",
    });
  });

  it("takes __proto__ and inherited names as unknown words", () => {
    assert.throws(() => parse("NaiveQuantizer", JSON.parse('{"__proto__": 1}')), {
      message: `compress: config entry 0: expected keys among ${SELECTION}, "q_bits", "quant_types", "quant_bits", "target_names", "target_settings", "quant_dtype", "granularity", "axis", got "__proto__"`,
    });
    assert.throws(() => parse("QATQuantizer", { ...v3, granularity: "constructor" }), {
      message: 'compress: config entry 0, "granularity": expected one of "default", "out_channel", got "constructor"',
    });
  });
});

describe("parseConfigList: NNI's schemas", () => {
  type RawEntry = Readonly<Record<string, unknown>>;

  /** A config list of a quantizer that NNI accepts and this project does not (the error), or the other way round. */
  interface Differing {
    readonly quantizer: QuantizerName;
    readonly list: readonly RawEntry[];
    readonly error?: QuantError;
  }

  interface SchemaCase {
    readonly config_list: readonly RawEntry[];
    readonly accepted: Readonly<Record<string, boolean>>;
  }

  const NAMES_IN_NNI: Readonly<Record<QuantizerName, string>> = {
    NaiveQuantizer: "NaiveQuantizer",
    QATQuantizer: "QAT_Quantizer",
    DoReFaQuantizer: "DoReFaQuantizer",
  };
  const QUANTIZER_NAMES = Object.keys(NAMES_IN_NNI) as QuantizerName[];
  const LAYERS = [
    { name: "conv1", type: "Conv2d" },
    { name: "fc1", type: "Linear" },
  ];

  function errorOf(action: () => void): QuantError | undefined {
    try {
      action();
    } catch (error) {
      assert(error instanceof QuantError && error.code === "invalid-config");
      return error;
    }
    return undefined;
  }

  /** NNI's validate_config reads a list for one quantizer and looks up its names in a model of two layers. */
  function differences(file: string): Differing[] {
    const { cases } = readVectors<{ cases: SchemaCase[] }>(file);
    return cases.flatMap(({ config_list: list, accepted }) =>
      QUANTIZER_NAMES.flatMap((quantizer) => {
        const nni = accepted[NAMES_IN_NNI[quantizer]];
        assert.equal(typeof nni, "boolean");
        const error = errorOf(() => checkMatches("compress", parseConfigList("compress", quantizer, list), LAYERS));
        if ((error === undefined) === nni) return [];
        return [error === undefined ? { quantizer, list } : { quantizer, list, error }];
      }),
    );
  }

  const activations = ({ quant_types }: RawEntry) =>
    Array.isArray(quant_types) && quant_types.some((t) => t !== "weight");
  const noBits = ({ error }: Differing) => error?.details.expected === '"quant_bits" for quant type "weight"';

  it("v1.5: 198 answers, equal but for 26 in 5 deviations", () => {
    assertDeviations(
      differences("nni_validate_config_v1_5"),
      {
        "v1.5's schema was stricter than v2: no exclude": ({ list, error }) =>
          error === undefined && list.some((entry) => "exclude" in entry),
        "v1.5's schema was stricter than v2: no quantized input": ({ quantizer, list, error }) =>
          error === undefined && quantizer === "QATQuantizer" && list.some(activations),
        "DoReFaQuantizer quantizes activations": ({ quantizer, list, error }) =>
          error === undefined && quantizer === "DoReFaQuantizer" && list.some(activations),
        "32 bits: untouched": ({ quantizer, list, error }) =>
          error === undefined && quantizer === "DoReFaQuantizer" && list.some(({ quant_bits }) => quant_bits === 32),
        "quant_types without their quant_bits (v1.5 accepts, then KeyError)": noBits,
      },
      {
        "v1.5's schema was stricter than v2: no exclude": 15,
        "v1.5's schema was stricter than v2: no quantized input": 1,
        "DoReFaQuantizer quantizes activations": 3,
        "32 bits: untouched": 1,
        "quant_types without their quant_bits (v1.5 accepts, then KeyError)": 6,
      },
    );
  });

  it("v2.10: 288 answers, equal but for 18 in 6 deviations", () => {
    assertDeviations(
      differences("nni_validate_config_v2"),
      {
        "more than 16 bits: no integer grid here": ({ error }) => error?.details.found === 31,
        "DoReFaQuantizer quantizes activations": ({ quantizer, list, error }) =>
          error === undefined &&
          quantizer === "DoReFaQuantizer" &&
          list.some(
            ({ quant_bits }) => typeof quant_bits === "object" && quant_bits !== null && "output" in quant_bits,
          ),
        "exclude: false excludes nothing, so the entry says nothing": ({ list, error }) =>
          error?.details.expected === '"quant_types" and "quant_bits", "quant_dtype", "q_bits", or "exclude": true' &&
          list[Number(error.details.index)].exclude === false,
        "unknown layer name (NNI warns)": ({ error }) =>
          error?.details.key === "op_names" && error.details.value === "missing",
        "unknown layer type (NNI warns)": ({ error }) =>
          error?.details.key === "op_types" && error.details.value === "Nope",
        "quant_types without their quant_bits": noBits,
      },
      {
        "more than 16 bits: no integer grid here": 2,
        "DoReFaQuantizer quantizes activations": 1,
        "exclude: false excludes nothing, so the entry says nothing": 6,
        "unknown layer name (NNI warns)": 5,
        "unknown layer type (NNI warns)": 2,
        "quant_types without their quant_bits": 2,
      },
    );
  });

  describe("v3", () => {
    type V3Case =
      | { readonly op: "default_config_schema"; readonly config: RawEntry; readonly accepted: boolean }
      | {
          readonly op: "trans_legacy_config_list";
          readonly config_list: readonly RawEntry[];
          readonly result: readonly RawEntry[];
        }
      | {
          readonly op: "canonicalize_settings";
          readonly module: string;
          readonly config: RawEntry;
          readonly result: string | Readonly<Record<string, RawEntry>>;
        }
      | { readonly op: "select_modules_by_config" };

    const { meta, cases } = readVectors<{ meta: { layers: LayerInfo[] }; cases: V3Case[] }>("nni_config_v3");

    it("runs every case of the file: selection in select-config.test.ts, the rest here", () => {
      const counts: Record<string, number> = {};
      for (const { op } of cases) counts[op] = (counts[op] ?? 0) + 1;
      assert.deepEqual(counts, {
        select_modules_by_config: 80,
        trans_legacy_config_list: 40,
        canonicalize_settings: 40,
        default_config_schema: 60,
      });
    });

    it("default_config_schema: 60 answers, equal but for 5 in 3 deviations", () => {
      const differing = cases.flatMap((one) => {
        if (one.op !== "default_config_schema") return [];
        const error = errorOf(() => parseConfigList("compress", "QATQuantizer", [one.config]));
        return (error === undefined) === one.accepted ? [] : [error];
      });
      assertDeviations(
        differing,
        {
          "bias: int32 on the grid of its products, nothing to configure": (error) => error?.details.found === "bias",
          "granularity is default or out_channel": (error) => error?.details.found === "in_channel",
          "apply_method is the project's own": (error) => error?.details.key === "apply_method",
        },
        {
          "bias: int32 on the grid of its products, nothing to configure": 2,
          "granularity is default or out_channel": 2,
          "apply_method is the project's own": 1,
        },
      );
    });

    it("trans_legacy_config_list: 40 lists give the same targets in either spelling", () => {
      let compared = 0;
      for (const one of cases) {
        if (one.op !== "trans_legacy_config_list") continue;
        one.result.forEach((translated, i) => {
          if (translated.target_names === undefined) return; // an exclusion: see the next test
          const [legacy] = parseConfigList("compress", "QATQuantizer", [one.config_list[i]]);
          const [v3] = parseConfigList("compress", "QATQuantizer", [translated]);
          const signed = Object.entries(legacy.targets).map(([target, config]) => [
            target,
            { ...config, signed: true },
          ]);
          assert.deepEqual(Object.fromEntries(signed), v3.targets);
          compared++;
        });
      }
      assert.equal(compared, 64);
    });

    it("trans_legacy_config_list: 40 lists select the same entries, but for layers NNI excludes from every entry", () => {
      const differing: { excludes: readonly unknown[]; excluded: boolean }[] = [];
      let equal = 0;
      for (const one of cases) {
        if (one.op !== "trans_legacy_config_list") continue;
        const excludes = one.config_list.flatMap((entry) => ("exclude" in entry ? [entry.exclude] : []));
        // An entry of nothing but `exclude: false` says nothing here; NNI's translation reads it as an exclusion.
        const ours = one.config_list.flatMap((entry, index) => {
          if (entry.exclude === false) return [];
          return parseConfigList("compress", "QATQuantizer", [entry]).map((read) => ({ ...read, index }));
        });
        const theirs = one.result.flatMap((entry, index) => {
          if (entry.target_names === undefined) return [];
          return parseConfigList("compress", "QATQuantizer", [entry]).map((read) => ({ ...read, index }));
        });
        for (const layer of meta.layers) {
          if (selectConfig(ours, layer)?.index === selectConfig(theirs, layer)?.index) equal++;
          else {
            const { excludeOpTypes = [], excludeOpNames = [] } = theirs[0].match;
            const excluded = excludeOpTypes.includes(layer.type) || excludeOpNames.includes(layer.name);
            assert.equal(selectConfig(theirs, layer), undefined);
            differing.push({ excludes, excluded });
          }
        }
      }
      assert.equal(equal + differing.length, 40 * meta.layers.length);
      assertDeviations(
        differing,
        {
          "exclude: false excludes nothing": ({ excludes, excluded }) => excluded && excludes.includes(false),
          "exclude: true is one entry, and the last match wins": ({ excludes, excluded }) =>
            excluded && excludes.length > 0 && !excludes.includes(false),
        },
        {
          "exclude: false excludes nothing": 18,
          "exclude: true is one entry, and the last match wins": 4,
        },
      );
    });

    it("canonicalize_settings: 40 modules get the same settings, but for 31 in 6 deviations", () => {
      interface Settings {
        readonly quant_dtype: string | null;
        readonly quant_scheme?: string | null;
        readonly granularity: string | readonly number[];
      }
      /** NNI's settings in the form of ours, which knows no default granularity and none of activations. */
      function canonical(result: Readonly<Record<string, Settings>>): object {
        const names: Readonly<Record<string, string>> = { weight: "weight", _input_0: "input", _output_0: "output" };
        const targets = Object.entries(result).flatMap(([name, { quant_dtype, quant_scheme, granularity }]) => {
          if (quant_dtype === null || names[name] === undefined) return [];
          const config = {
            bits: Number(quant_dtype.replace(/^u?int/, "")),
            signed: !quant_dtype.startsWith("u"),
            ...(quant_scheme && { symmetric: quant_scheme === "symmetric" }),
            ...(name === "weight" && { granularity: granularity === "default" ? "perTensor" : "perChannel" }),
          };
          return [[names[name], config]];
        });
        return Object.fromEntries(targets);
      }
      const inputZero = { _input_0: { quant_dtype: "int4", granularity: "default" } };
      const differing: { config: RawEntry; result: unknown; module: string; error?: QuantError }[] = [];
      let equal = 0;
      for (const one of cases) {
        if (one.op !== "canonicalize_settings") continue;
        const { sparse_ratio: _, ...config } = one.config; // a key of NNI's pruners, which share the function
        let ours: object | undefined;
        const error = errorOf(() => {
          const [{ targets }] = parseConfigList("compress", "QATQuantizer", [{ op_types: [one.module], ...config }]);
          const weight = targets.weight && { weight: { granularity: "perTensor", ...targets.weight } };
          ours = { ...targets, ...weight };
        });
        const nni = typeof one.result === "string" ? one.result : canonical(one.result as never);
        if (isDeepStrictEqual(ours, nni)) equal++;
        else differing.push({ config, result: nni, module: one.module, ...(error && { error }) });
      }
      assert.equal(equal + differing.length, 40);
      assertDeviations(
        differing,
        {
          "a target without quant_dtype is an error (NNI: silently left alone)": ({ error }) =>
            String(error?.details.expected).includes('"quant_dtype"'),
          "bias and second inputs are no targets": ({ error }) =>
            error?.details.found === "bias" || error?.details.found === "_input_1",
          "granularity is default or out_channel, not blocks": ({ error }) => Array.isArray(error?.details.found),
          "an Embedding can be configured (NNI: AssertionError)": ({ error, result }) =>
            error === undefined && result === "error:AssertionError",
          "what the layer has is the model's to say: no weight in a ReLU": ({ error, module }) =>
            error === undefined && module === "ReLU",
          "settings of _input_0 fall back to those for all, like _input_": ({ error, config, module }) =>
            error === undefined && module === "BatchNorm2d" && isDeepStrictEqual(config.target_settings, inputZero),
        },
        {
          "a target without quant_dtype is an error (NNI: silently left alone)": 9,
          "bias and second inputs are no targets": 8,
          "granularity is default or out_channel, not blocks": 6,
          "an Embedding can be configured (NNI: AssertionError)": 5,
          "what the layer has is the model's to say: no weight in a ReLU": 2,
          "settings of _input_0 fall back to those for all, like _input_": 1,
        },
      );
    });
  });
});

it("docs/configuration.md: every example is valid", () => {
  const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^```json (\w+)\n(.*?)^```$/gms)];
  assert.equal(examples.length, 6);
  for (const [, quantizer, json] of examples) parseConfigList("docs", quantizer as QuantizerName, JSON.parse(json));
});
