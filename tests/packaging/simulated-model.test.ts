import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { DoReFaQuantizer, QATQuantizer } from "bitpress/tfjs";
import { images, integers, labels, OPTIMIZER, prediction, weightsByName } from "./simulated-model.js";

/** A network with everything that has state: folded and lone batch norm, a shared layer, a sum, a concat, an average pool. */
function network(): tf.LayersModel {
  const { layers } = tf;
  const of = (tensor: unknown): tf.SymbolicTensor => tensor as tf.SymbolicTensor;
  const x = tf.input({ shape: [6, 6, 2], name: "image" });
  const conv = of(layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, padding: "same" }).apply(x));
  const norm = of(
    layers.reLU({ name: "relu", maxValue: 6 }).apply(layers.batchNormalization({ name: "bn" }).apply(conv)),
  );
  const shared = layers.conv2d({ name: "shared", filters: 4, kernelSize: 1 });
  const sum = layers
    .add({ name: "sum" })
    .apply([shared.apply(norm), shared.apply(shared.apply(norm))] as tf.SymbolicTensor[]);
  const lone = of(layers.batchNormalization({ name: "lone" }).apply(sum));
  const concat = layers.concatenate({ name: "concat" }).apply([lone, norm]);
  const pool = layers.averagePooling2d({ name: "pool", poolSize: 2 }).apply(concat);
  const fc = layers.dense({ name: "fc", units: 3 }).apply(layers.flatten({ name: "flat" }).apply(pool));
  return tf.model({ inputs: x, outputs: of(fc) });
}

const fit = (model: tf.LayersModel): Promise<tf.History> =>
  model.fit(images(), labels(), { batchSize: 4, shuffle: false, verbose: 0 });

/** Saves to model.json and weights.bin in a folder. */
function folderHandler(folder: string): tf.io.IOHandler {
  return {
    async save({ modelTopology, weightSpecs, weightData }) {
      writeFileSync(join(folder, "model.json"), JSON.stringify({ modelTopology, weightSpecs }));
      writeFileSync(join(folder, "weights.bin"), new Uint8Array(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  };
}

/** What the other process finds in a folder, and what one more step of training makes of it. */
function inFreshProcess(folder: string, backend: string): { loaded: unknown; trained: unknown } {
  const script = fileURLToPath(new URL("fresh-process.ts", import.meta.url));
  const child = spawnSync(process.execPath, ["--import", "tsx", script, folder, backend], { encoding: "utf8" });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout.trim().split("\n").at(-1) as string);
}

for (const backend of ["cpu", "wasm"]) {
  test(`a simulated model in a fresh process: the same weights, ranges, counters, outputs and integers; training goes on, on ${backend}`, async () => {
    setThreadsCount(1);
    await tf.setBackend(backend);
    const model = new QATQuantizer({ bits: 8, quantStartStep: 1, freezeBatchNormStep: 3 }).compress(network());
    model.compile({ optimizer: OPTIMIZER(), loss: "meanSquaredError" });
    await fit(model);
    const folder = mkdtempSync(join(tmpdir(), "bitpress-simulated-"));
    try {
      await model.save(folderHandler(folder));
      const saved = { weights: weightsByName(model), prediction: prediction(model), integers: await integers(model) };
      await fit(model);
      const { loaded, trained } = inFreshProcess(folder, backend);
      assert.deepEqual(loaded, saved);
      assert.deepEqual(trained, weightsByName(model));
      assert.equal(typeof saved.integers, "object", String(saved.integers));
      const counters = Object.entries(saved.weights).filter(([name]) => /\/(step|observed|calls)$/.test(name));
      // The shared layer is called three times in each step.
      for (const [name, value] of counters) assert.deepEqual(value, [name === "shared/calls" ? 6 : 2], name);
      assert.deepEqual(
        Object.keys(saved.weights).filter((name) => name === "conv/calls" || name === "image/quantized/range"),
        ["image/quantized/range", "conv/calls"],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`a DoReFa model in a fresh process: the same weights, ranges, steps and outputs; its noise goes on, on ${backend}`, async () => {
    setThreadsCount(1);
    await tf.setBackend(backend);
    const model = new DoReFaQuantizer({ bits: 2, gradientBits: 3, seed: 7 }).compress(network());
    model.compile({ optimizer: OPTIMIZER(), loss: "meanSquaredError" });
    await fit(model);
    const folder = mkdtempSync(join(tmpdir(), "bitpress-dorefa-"));
    try {
      await model.save(folderHandler(folder));
      const saved = { weights: weightsByName(model), prediction: prediction(model), integers: await integers(model) };
      await fit(model);
      const { loaded, trained } = inFreshProcess(folder, backend);
      assert.deepEqual(loaded, saved);
      assert.deepEqual(trained, weightsByName(model));
      // The shared layer alone is between the first and the last; it is called three times in each step.
      assert.deepEqual(saved.weights["shared/step"], [6]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
