// Run by simulated-model.test.ts in a process of its own: loads a simulated model from a folder, knowing nothing but the files
// and the built package, and prints what it finds, predicts, and has learned after one more step.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import "bitpress/tfjs";
import { images, integers, labels, OPTIMIZER, prediction, weightsByName } from "./simulated-model.js";

const [folder, backend] = process.argv.slice(2);
await tf.setBackend(backend);
const { modelTopology, weightSpecs } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
const { buffer, byteOffset, length } = readFileSync(join(folder, "weights.bin"));
const weightData = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
const model = await tf.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
const loaded = { weights: weightsByName(model), prediction: prediction(model), integers: await integers(model) };
model.compile({ optimizer: OPTIMIZER(), loss: "meanSquaredError" });
await model.fit(images(), labels(), { batchSize: 4, shuffle: false, verbose: 0 });
console.log(JSON.stringify({ loaded, trained: weightsByName(model) }));
