import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import type { ModelArtifacts, WeightSpec } from "../../src/formats/tfjs-model/artifacts.js";
import { readTfjs, writeTfjs } from "../../src/formats/tfjs-model/files.js";
import { splitWeights } from "../../src/formats/tfjs-model/weight-data.js";
import { NaiveQuantizer } from "../../src/tfjs/naive-quantizer.js";
import { saveHandler, toArtifacts } from "../../src/tfjs/save.js";
import { expectedCodes } from "./expected-codes.js";
import { SAMPLE_GRAPHS } from "./sample-graphs.js";
import { SAMPLE_MODELS, type SampleModel } from "./sample-models.js";
import {
  bitsOf,
  floatPredictions,
  loadGraph,
  loadLayers,
  predictions,
  stockArtifacts,
  storedFloats,
  weightsOf,
} from "./weights-of.js";

/**
 * Largest |stored − live| / max|live| over the outputs of any sample model with weights in the normalize form.
 *
 * Both sum the same K products, one of x·q then times S, the other of x·fl(q·S): each within K·2^-24 of the exact sum of
 * magnitudes. Samples have K ≤ 60 in up to three layers whose sums cancel little, so a few 2^-24 (6e-8) remain: measured 2.35e-7.
 */
const FLOAT_ROUNDING = 8 * 2 ** -24;

const files = (artifacts: ModelArtifacts): ModelArtifacts => readTfjs(writeTfjs(artifacts));
const formsOf = (artifacts: ModelArtifacts): Record<string, { form: string; bits: number; axis?: number }> =>
  (artifacts.userDefinedMetadata as { bitpress: { weights: Record<string, { form: string; bits: number }> } }).bitpress
    .weights;

describe("layers models in one byte per weight", () => {
  let largestError = 0;
  for (const sample of SAMPLE_MODELS) {
    it(`${sample.name}: per channel, through files and stock tfjs`, async () => {
      largestError = Math.max(largestError, await checkPerChannel(sample));
    });
    it(`${sample.name}: per tensor, bit for bit`, () => checkPerTensor(sample));
  }

  it("outputs of the normalize form: within float32 rounding", (t) => {
    t.diagnostic(`largest error relative to the largest output: ${largestError.toExponential(2)}`);
    assert.ok(largestError > 0 && largestError <= FLOAT_ROUNDING, String(largestError));
  });

  for (const bits of [2, 4, 7]) {
    it(`${bits} bits are stored in a byte each`, async () => {
      const [, sample] = SAMPLE_MODELS;
      for (const granularity of ["perTensor", "perChannel"] as const) {
        const small = new NaiveQuantizer({ bits, granularity }).compress(sample.build());
        const artifacts = files(await toArtifacts(small));
        const { scale, min } = specOf(artifacts, "conv/kernel").quantization!;
        assert.equal(min! / scale!, 1 - 2 ** (bits - 1));
        assert.equal(formsOf(artifacts)["conv/kernel"].bits, bits);
        const largest = Math.max(...splitWeights(artifacts).find(({ spec }) => spec.name === "conv/kernel")!.bytes);
        assert.equal(largest, 2 ** bits - 2);
      }
    });
  }

  it("the user's metadata is kept", async () => {
    const model = SAMPLE_MODELS[0].build();
    model.setUserDefinedMetadata({ labels: ["a", "b"], nested: { x: 1 } });
    const loaded = await loadLayers(files(await toArtifacts(new NaiveQuantizer().compress(model))));
    const { bitpress, ...rest } = loaded.getUserDefinedMetadata() as Record<string, unknown>;
    assert.deepEqual(rest, { labels: ["a", "b"], nested: { x: 1 } });
    assert.notEqual(bitpress, undefined);
  });

  it("storing twice gives the same bytes, and leaves the model as it was", async () => {
    const [, sample] = SAMPLE_MODELS;
    const small = new NaiveQuantizer().compress(sample.build());
    const outputs = predictions(small, sample.input());
    assert.deepEqual(writeTfjs(await toArtifacts(small)), writeTfjs(await toArtifacts(small)));
    assert.deepEqual(predictions(small, sample.input()), outputs);
  });

  it("a stored model can be compressed and stored again: integers are their own codes", async () => {
    const [sample] = SAMPLE_MODELS;
    const stored = await loadLayers(files(await toArtifacts(new NaiveQuantizer().compress(sample.build()))));
    const again = await loadLayers(files(await toArtifacts(new NaiveQuantizer().compress(stored))));
    assert.deepEqual(predictions(again, sample.input()), predictions(stored, sample.input()));
    assert.ok(again.layers.some(({ name }) => name === "a_scale_1"));
  });

  it("the optimizer is left out; the model still loads with its training configuration", async () => {
    const [sample] = SAMPLE_MODELS;
    const small = new NaiveQuantizer().compress(sample.build());
    small.compile({ optimizer: tf.train.adam(0), loss: "meanSquaredError" });
    await small.fit(sample.input(), tf.ones([4, 3]), { epochs: 1, verbose: 0 });
    const stock = await stockArtifacts(small, { includeOptimizer: true });
    assert.ok(stock.weightSpecs!.some(({ group }) => group === "optimizer"));
    let stored: ModelArtifacts | undefined;
    await small.save(
      saveHandler(
        keep((artifacts) => {
          stored = artifacts;
        }),
      ),
      { includeOptimizer: true },
    );
    assert.ok(stored!.weightSpecs!.every(({ group }) => group !== "optimizer"));
    const loaded = await loadLayers(files(stored!));
    assert.equal(typeof loaded.loss, "string");
    closeTo(floatPredictions(loaded, sample.input()), floatPredictions(small, sample.input()));
  });

  it("saved by stock tfjs in float32, it can still be stored in one byte in a fresh process", async () => {
    const small = new NaiveQuantizer().compress(SAMPLE_MODELS[1].build());
    storedInFreshProcess(await stockArtifacts(small), writeTfjs(await toArtifacts(small)));
  });
});

describe("graph models in one byte per weight", () => {
  for (const { name, artifacts, input: makeInput, channels } of SAMPLE_GRAPHS) {
    for (const granularity of ["perChannel", "perTensor"] as const) {
      it(`${name}: ${granularity}, bit for bit`, async () => {
        const small = new NaiveQuantizer({ granularity }).compress(loadGraph(artifacts));
        const stored = files(await toArtifacts(small));
        const form = granularity === "perChannel" ? "scales" : "affine";
        const forms = Object.entries(formsOf(stored)).map(([weight, entry]) => [weight, entry.form]);
        assert.deepEqual(
          forms,
          Object.keys(channels).map((weight) => [weight, form]),
        );
        const bytes = stored.weightSpecs!.filter(({ quantization }) => quantization?.dtype === "uint8");
        assert.equal(bytes.length, Object.keys(channels).length);
        const loaded = loadGraph(stored);
        assert.deepEqual(predictions(loaded, makeInput()), predictions(small, makeInput()));
        assert.deepEqual((stored.userDefinedMetadata as { labels: unknown }).labels, ["x"]);
      });
    }
  }

  it("saved by stock tfjs in float32, it can still be stored in one byte in a fresh process", async () => {
    const small = new NaiveQuantizer().compress(loadGraph(SAMPLE_GRAPHS[0].artifacts));
    storedInFreshProcess(await stockArtifacts(small), writeTfjs(await toArtifacts(small)));
  });
});

describe("saveHandler", () => {
  const small = (): tf.LayersModel => new NaiveQuantizer().compress(SAMPLE_MODELS[0].build());

  it("passes what toArtifacts gives to a handler, and returns its answer", async () => {
    const model = small();
    let stored: ModelArtifacts | undefined;
    const result = await model.save(
      saveHandler(
        keep((artifacts) => {
          stored = artifacts;
        }),
      ),
    );
    assert.deepEqual(result, { modelArtifactsInfo: INFO, errors: ["kept"] });
    assert.deepEqual(stored, await toArtifacts(model));
    assert.equal(stored!.format, "layers-model");
  });

  it("calls a handler as its own method", async () => {
    class Counting {
      count = 0;
      async save(): Promise<tf.io.SaveResult> {
        this.count++;
        return { modelArtifactsInfo: INFO };
      }
    }
    const target = new Counting();
    await small().save(saveHandler(target));
    assert.equal(target.count, 1);
  });

  it("saves to a URL that tfjs knows", async () => {
    let stored: ModelArtifacts | undefined;
    const router = (url: unknown): tf.io.IOHandler | null =>
      url === "kept://model"
        ? keep((artifacts) => {
            stored = artifacts;
          })
        : null;
    tf.io.registerSaveRouter(router as unknown as Parameters<typeof tf.io.registerSaveRouter>[0]);
    const model = small();
    await model.save(saveHandler("kept://model"));
    assert.deepEqual(stored, await toArtifacts(model));
  });

  it("refuses a URL that tfjs cannot save to here, before anything is saved", () => {
    for (const url of ["localstorage://model", "indexeddb://model", "downloads://model", "nowhere://x", ""]) {
      assert.throws(() => saveHandler(url), {
        name: "TypeError",
        message: `saveHandler: expected a URL that tfjs can save to here, got ${JSON.stringify(url)}`,
      });
    }
  });

  it("refuses anything but a URL or a handler", () => {
    for (const [target, text] of [
      [undefined, "[object Undefined]"],
      [null, "[object Null]"],
      [{ load: () => {} }, "[object Object]"],
      [7, "[object Number]"],
    ]) {
      assert.throws(() => saveHandler(target as string), {
        name: "TypeError",
        message: `saveHandler: expected a URL or a handler with save(), got ${text}`,
      });
    }
  });
});

describe("models that cannot be stored", () => {
  const both = async (model: tf.LayersModel | tf.GraphModel, code: string, message: string): Promise<void> => {
    const untouched = keep(() => assert.fail("nothing must be saved"));
    await assert.rejects(toArtifacts(model), { name: "QuantError", code, message: `toArtifacts: ${message}` });
    await assert.rejects(model.save(saveHandler(untouched)), {
      name: "QuantError",
      code,
      message: `saveHandler: ${message}`,
    });
  };
  const uncompressed =
    "expected a model made by a bitpress quantizer, got one without its metadata; call compress first";
  const storedAlready = (name: string): string =>
    `expected "${name}" in float32, got codes; a model stored in one byte per weight cannot be stored again`;

  it("not compressed", async () => {
    await both(SAMPLE_MODELS[0].build(), "invalid-model", uncompressed);
    await both(
      loadGraph({ ...SAMPLE_GRAPHS[0].artifacts, userDefinedMetadata: { bitpress: 1 } }),
      "invalid-model",
      uncompressed,
    );
  });

  it("trained since compress: names the first weight and index off the grid", async () => {
    const [sample] = SAMPLE_MODELS;
    const small = new NaiveQuantizer().compress(sample.build());
    const before = weightsOf(small).get("a/kernel")!;
    small.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
    await small.fit(sample.input(), tf.ones([4, 3]), { epochs: 1, verbose: 0 });
    const after = weightsOf(small).get("a/kernel")!;
    const index = after.findIndex((value, i) => value !== before[i]);
    await both(
      small,
      "invalid-model",
      `expected "a/kernel" on its grid, got ${after[index]} at index ${index}; weights changed since compress, so call it again`,
    );
    await toArtifacts(new NaiveQuantizer().compress(small));
  });

  it("stored already", async () => {
    const small = new NaiveQuantizer().compress(SAMPLE_MODELS[0].build());
    await both(await loadLayers(await toArtifacts(small)), "invalid-model", storedAlready("a/kernel"));
    const graph = new NaiveQuantizer().compress(loadGraph(SAMPLE_GRAPHS[0].artifacts));
    await both(loadGraph(await toArtifacts(graph)), "invalid-model", storedAlready("w"));
  });

  it("metadata that does not fit the weights", async () => {
    const model = new NaiveQuantizer().compress(SAMPLE_MODELS[0].build());
    const metadata = JSON.stringify(model.getUserDefinedMetadata());
    const tampered = (change: (weights: Record<string, Record<string, unknown>>) => void): tf.LayersModel => {
      const copy = JSON.parse(metadata);
      change(copy.bitpress.weights);
      model.setUserDefinedMetadata(copy);
      return model;
    };
    const renamed = tampered((weights) => {
      weights.other = weights["a/kernel"];
    });
    await both(renamed, "invalid-model", 'expected a weight "other" of 30 elements, got none; call compress again');
    const shorter = tampered((weights) => {
      weights["a/kernel"].shape = [4, 6];
    });
    const message = 'expected a weight "a/kernel" of 24 elements, got [5, 6]; call compress again';
    await both(shorter, "invalid-model", message);
    const six = (value: unknown): unknown[] => Array(6).fill(value);
    const damages: Record<string, unknown>[] = [
      ...[[1, 2], 1, six(0), six(-1), six("1"), six(1e-50), six(1e39), {}].map((scale) => ({ scale })),
      ...[0, six(0.5), six(128), [0]].map((zeroPoint) => ({ zeroPoint })),
      ...[[6, 5], "5,6", [5]].map((shape) => ({ shape })),
      ...["length", -1, 1.5, 0].map((axis) => ({ axis })),
      ...[-300, null, 127].map((qmin) => ({ qmin })),
    ];
    for (const damage of damages) {
      const damaged = tampered((weights) => {
        Object.assign(weights["a/kernel"], damage);
      });
      await both(
        damaged,
        "invalid-model",
        'expected quantization parameters for "a/kernel" in userDefinedMetadata, got damaged ones; call compress again',
      );
    }
  });
});

const INFO = { dateSaved: new Date(5), modelTopologyType: "JSON" as const };

function keep(store: (artifacts: ModelArtifacts) => void): tf.io.IOHandler {
  return {
    async save(artifacts) {
      store(artifacts as unknown as ModelArtifacts);
      return { modelArtifactsInfo: INFO, errors: ["kept"] };
    },
  };
}

function specOf({ weightSpecs }: ModelArtifacts, name: string): WeightSpec {
  const spec = weightSpecs!.find((candidate) => candidate.name === name);
  assert.ok(spec, `no weight ${name}`);
  return spec;
}

/** How far stored outputs are from live ones, relative to the largest live one. */
function relativeError(stored: readonly Float32Array[], live: readonly Float32Array[]): number {
  assert.equal(stored.length, live.length);
  const errors = live.map((output, k) => {
    const largest = output.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    return output.reduce((max, value, i) => Math.max(max, Math.abs(value - stored[k][i])), 0) / largest;
  });
  return Math.max(...errors);
}

function closeTo(stored: readonly Float32Array[], live: readonly Float32Array[]): void {
  const error = relativeError(stored, live);
  assert.ok(error <= FLOAT_ROUNDING, String(error));
}

async function checkPerChannel({ build, input: makeInput, channels, stayFloat = [] }: SampleModel): Promise<number> {
  const model = build();
  const input = makeInput();
  const floats = weightsOf(model);
  const small = new NaiveQuantizer().compress(model);
  const stored = files(await toArtifacts(small));
  const forms = formsOf(stored);
  assert.deepEqual(Object.keys(forms).sort(), Object.keys(channels).sort());
  const values = storedFloats(stored);
  let bytes = 0;
  for (const variable of model.weights) {
    const { originalName: name } = variable;
    const expected = expectedCodes(floats.get(name)!, variable.shape as number[], channels[name]);
    bytes += 4 * floats.get(name)!.length;
    if (!(name in channels)) continue;
    const { quantization } = specOf(stored, name);
    if (stayFloat.includes(name)) {
      assert.equal(forms[name].form, "float32");
      assert.equal(quantization, undefined);
      assert.deepEqual(bitsOf(values.get(name)!), bitsOf(expected.values), name);
      continue;
    }
    assert.equal(forms[name].form, "normalize", name);
    assert.deepEqual(quantization, { dtype: "uint8", scale: 1, min: -127 });
    assert.deepEqual(values.get(name), Float32Array.from(expected.codes));
    const scale = `${name.slice(0, name.lastIndexOf("/"))}_scale`;
    assert.deepEqual(bitsOf(values.get(`${scale}/gamma`)!), bitsOf(expected.scales));
    assert.equal(values.has(`${scale}/beta`), floats.has(`${name.slice(0, name.lastIndexOf("/"))}/bias`));
    // One byte instead of four, four for each scale, and two for the mean and variance beside it.
    bytes += expected.codes.length - 4 * expected.codes.length + 6 * expected.scales.length;
  }
  assert.equal(
    splitWeights(stored).reduce((sum, weight) => sum + weight.bytes.length, 0),
    bytes,
  );

  const loaded = await loadLayers(stored);
  if (Object.values(forms).every(({ form }) => form === "float32")) {
    assert.deepEqual(predictions(loaded, input), predictions(small, input));
    return 0;
  }
  return relativeError(floatPredictions(loaded, input), floatPredictions(small, input));
}

async function checkPerTensor({ build, input: makeInput, channels }: SampleModel): Promise<void> {
  const input = makeInput();
  const small = new NaiveQuantizer({ granularity: "perTensor" }).compress(build());
  const stored = files(await toArtifacts(small));
  for (const name of Object.keys(channels)) {
    assert.equal(formsOf(stored)[name].form, "affine");
    assert.equal(specOf(stored, name).quantization?.dtype, "uint8");
  }
  const loaded = await loadLayers(stored);
  assert.deepEqual(weightsOf(loaded), weightsOf(small));
  for (const [name, data] of weightsOf(small)) assert.deepEqual(bitsOf(weightsOf(loaded).get(name)!), bitsOf(data));
  assert.deepEqual(predictions(loaded, input), predictions(small, input));
}

/** Writes a model's files, has another process store them in one byte per weight, and compares the outcome. */
function storedInFreshProcess(stock: ModelArtifacts, expected: Readonly<Record<string, Uint8Array>>): void {
  assert.ok(stock.weightSpecs!.every(({ quantization }) => quantization === undefined));
  const folder = mkdtempSync(join(tmpdir(), "bitpress-"));
  try {
    const from = join(folder, "float32");
    mkdirSync(from);
    for (const [name, bytes] of Object.entries(writeTfjs(stock))) writeFileSync(join(from, name), bytes);
    const script = fileURLToPath(new URL("store-in-fresh-process.ts", import.meta.url));
    const run = spawnSync(process.execPath, ["--import", "tsx", script, from, join(folder, "bytes")], {
      encoding: "utf8",
    });
    assert.equal(run.status, 0, run.stderr);
    for (const [name, bytes] of Object.entries(expected)) {
      assert.deepEqual(new Uint8Array(readFileSync(join(folder, "bytes", name))), bytes, name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
