import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConfigList } from "../../src/index.js";
import { parseConfigList, type QuantizerName } from "../../src/quantizers/config-list.js";

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
