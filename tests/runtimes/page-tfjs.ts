// Entry for pages that load tfjs and the script-tag bundle.
import * as tf from "@tensorflow/tfjs";
import { NaiveQuantizer, toArtifacts } from "bitpress/tfjs";
import { attempt, report } from "./page-report.js";

/** A model's bytes, quantized and loaded again by the page's stock tfjs. */
async function roundTrip(): Promise<unknown> {
  await tf.setBackend("cpu");
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [40], kernelInitializer: "ones" })] });
  const artifacts = await toArtifacts(new NaiveQuantizer({ bits: 8 }).compress(model));
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts as unknown as tf.io.ModelArtifacts));
  const output = loaded.predict(tf.ones([1, 40])) as tf.Tensor;
  return { weightBytes: (artifacts.weightData as ArrayBuffer).byteLength, output: Array.from(output.dataSync()) };
}

attempt(roundTrip).then(report);
