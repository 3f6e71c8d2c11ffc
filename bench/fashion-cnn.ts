import { readdirSync, readFileSync } from "node:fs";
import type { LayersModel } from "@tensorflow/tfjs";
import { readTfjs } from "../src/formats/tfjs-model/files.js";
import type { startProjectTensorflow } from "./project-tensorflow.js";

const CNN = new URL("../examples/models/fashion-cnn/", import.meta.url);

/** The CNN of 22,000 parameters in examples/models. */
export function loadFashionCnn(tf: Awaited<ReturnType<typeof startProjectTensorflow>>): Promise<LayersModel> {
  const files = readdirSync(CNN).map((name) => [name, readFileSync(new URL(name, CNN))] as const);
  const artifacts = readTfjs(Object.fromEntries(files));
  return tf.loadLayersModel(tf.io.fromMemory(artifacts as unknown as Parameters<typeof tf.io.fromMemory>[0]));
}
