import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ModelArtifacts, WeightSpec } from "../../../src/formats/tfjs-model/artifacts.js";
import { type ModelFiles, readTfjs, writeTfjs } from "../../../src/formats/tfjs-model/files.js";
import { joinWeights, splitWeights } from "../../../src/formats/tfjs-model/weight-data.js";

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const topology = { class_name: "Sequential", config: { name: "m", layers: [] } };

describe("writeTfjs and readTfjs", () => {
  it("keep everything that tfjs puts into model.json", () => {
    const passed = {
      format: "layers-model",
      generatedBy: "me",
      convertedBy: null,
      signature: { inputs: {} },
      userDefinedMetadata: { labels: ["ä"] },
      modelInitializer: { node: [] },
      initializerSignature: { outputs: {} },
      trainingConfig: { loss: "meanSquaredError" },
    };
    const weightSpecs: WeightSpec[] = [{ name: "w", shape: [2], dtype: "float32" }];
    const artifacts = { ...passed, modelTopology: topology, weightSpecs, weightData: Float32Array.of(1, 2).buffer };
    const files = writeTfjs({ ...artifacts, getWeightStream: () => {}, modelArtifactsInfo: {} });
    assert.deepEqual(Object.keys(files), ["model.json", "group1-shard1of1.bin"]);
    const read = readTfjs(files);
    assert.deepEqual(read, { ...artifacts, weightData: [artifacts.weightData] });
    assert.deepEqual(Object.keys(JSON.parse(new TextDecoder().decode(files["model.json"]))), [
      ...Object.keys(passed),
      "modelTopology",
      "weightsManifest",
    ]);
  });

  it("split at 4 MiB, in the middle of a value if need be", () => {
    const length = 2 ** 20 + 3;
    const data = Float32Array.from({ length }, (_, i) => i);
    const specs: WeightSpec[] = [
      { name: "odd", shape: [1], dtype: "bool" },
      { name: "w", shape: [length], dtype: "float32" },
    ];
    const weights = [
      { spec: specs[0], bytes: Uint8Array.of(1) },
      { spec: specs[1], bytes: new Uint8Array(data.buffer) },
    ];
    const files = writeTfjs({ modelTopology: topology, ...joinWeights(weights) });
    assert.deepEqual(
      Object.entries(files)
        .slice(1)
        .map(([name, { length: size }]) => [name, size]),
      [
        ["group1-shard1of2.bin", 4 * 2 ** 20],
        ["group1-shard2of2.bin", 13],
      ],
    );
    assert.deepEqual(splitWeights(readTfjs(files)), weights);
  });

  it("read a small Buffer of Node, which is part of a pool", () => {
    const files = writeTfjs({
      modelTopology: topology,
      weightSpecs: [{ name: "w", shape: [2], dtype: "float32" }],
      weightData: Float32Array.of(1, 2).buffer,
    });
    const pooled = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)]));
    assert.ok(pooled["group1-shard1of1.bin"].buffer.byteLength > 8);
    assert.deepEqual(readTfjs(pooled), readTfjs(files));
  });

  it("take several groups and folders", () => {
    const spec = (name: string): WeightSpec => ({ name, shape: [1], dtype: "bool" });
    const weightsManifest = [
      { paths: ["a/b.bin", "..c"], weights: [spec("x"), spec("y")] },
      { paths: [], weights: [] },
      { paths: ["d"], weights: [spec("z")] },
    ];
    const files = {
      "model.json": json({ modelTopology: topology, weightsManifest }),
      "a/b.bin": Uint8Array.of(1),
      "..c": Uint8Array.of(0),
      d: Uint8Array.of(1),
    };
    assert.deepEqual(
      splitWeights(readTfjs(files)).map(({ spec: { name }, bytes }) => [name, bytes[0]]),
      [
        ["x", 1],
        ["y", 0],
        ["z", 1],
      ],
    );
  });

  it("take a model without weights", () => {
    const read = { modelTopology: topology, weightSpecs: [], weightData: [] };
    assert.deepEqual(readTfjs({ "model.json": json({ modelTopology: topology }) }), read);
    assert.deepEqual(readTfjs(writeTfjs({ modelTopology: topology })), read);
  });
});

describe("writeTfjs refuses", () => {
  const refuses = (name: string, artifacts: ModelArtifacts, code: string, message: string): void => {
    it(name, () => assert.throws(() => writeTfjs(artifacts), { name: "QuantError", code, message }));
  };
  refuses("no topology", {}, "invalid-model", "writeTfjs: expected modelTopology in JSON, got nothing");
  refuses(
    "a binary topology",
    { modelTopology: new ArrayBuffer(8) },
    "invalid-model",
    "writeTfjs: expected modelTopology in JSON, got bytes",
  );
  refuses(
    "weights without data",
    { modelTopology: topology, weightSpecs: [{ name: "w", shape: [2], dtype: "float32" }] },
    "invalid-file",
    'tfjs model: expected 8 bytes for "w" [2], got 0',
  );
});

describe("readTfjs refuses", () => {
  const refuses = (name: string, files: ModelFiles, message: string): void => {
    it(name, () => {
      const expected = { name: "QuantError", code: "invalid-file", message: `tfjs model.json: ${message}` };
      assert.throws(() => readTfjs(files), expected);
    });
  };
  const model = (rest: object): ModelFiles => ({ "model.json": json({ modelTopology: topology, ...rest }) });
  refuses("no model.json", {}, 'expected a file "model.json", got none');
  refuses(
    "an inherited file",
    Object.create({ "model.json": json({}) }) as ModelFiles,
    'expected a file "model.json", got none',
  );
  refuses(
    "an empty file",
    { "model.json": new Uint8Array(0) },
    "expected JSON, got SyntaxError: Unexpected end of JSON input",
  );
  for (const [value, kind] of [
    [null, "null"],
    [[], "a list"],
    [3, "a number"],
    ["x", "a string"],
    [true, "a boolean"],
  ]) {
    refuses(`${kind} as model.json`, { "model.json": json(value) }, `expected an object, got ${kind}`);
    refuses(
      `${kind} as topology`,
      model({ modelTopology: value }),
      `expected "modelTopology" as an object, got ${kind}`,
    );
  }
  refuses("no topology", { "model.json": json({}) }, 'expected "modelTopology" as an object, got nothing');
  refuses(
    "a manifest that is no list",
    model({ weightsManifest: {} }),
    'expected "weightsManifest" as a list, got an object',
  );
  const group = (paths: unknown, weights: unknown = []): ModelFiles => model({ weightsManifest: [{ paths, weights }] });
  const lists = 'expected lists "paths" and "weights" in weightsManifest[0], got';
  refuses("a group that is null", model({ weightsManifest: [null] }), `${lists} null`);
  refuses("paths that are no list", group("a.bin"), `${lists} a string and a list`);
  refuses("weights that are no list", group([], {}), `${lists} a list and an object`);
  refuses("a missing file", group(["a.bin"]), 'expected a file "a.bin", got none');
  for (const path of [
    "../x",
    "a/../../x",
    "a\\..\\x",
    "..",
    "/etc/passwd",
    "\\x",
    "C:\\x",
    "https://x.org/a",
    "file:x",
    3,
    null,
    ["a"],
  ]) {
    const text = JSON.stringify(path);
    refuses(`the path ${text}`, group([path]), `expected weight paths inside the model's folder, got ${text}`);
  }

  it("text that is no UTF-8 or no JSON", () => {
    for (const bytes of [Uint8Array.of(0xff, 0xfe), new TextEncoder().encode("{model}")]) {
      assert.throws(() => readTfjs({ "model.json": bytes }), {
        name: "QuantError",
        code: "invalid-file",
        message: /^tfjs model\.json: expected JSON, got (TypeError|SyntaxError): /,
      });
    }
  });

  it("does not change prototypes", () => {
    const text =
      '{"modelTopology": {"__proto__": {"polluted": 1}}, "userDefinedMetadata": {"__proto__": {"polluted": 1}}}';
    readTfjs({ "model.json": new TextEncoder().encode(text) });
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });
});

it("any bytes as model.json: an error of ours", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.jsonValue().map(json)), (bytes) => {
      assert.throws(() => readTfjs({ "model.json": bytes }), { name: "QuantError", code: "invalid-file" });
    }),
  );
});
