// Entry for pages that load tfjs, its wasm backend and the script-tag bundle.
import * as tf from "@tensorflow/tfjs";
import { enableWasmTraining } from "bitpress/tfjs";
import { attempt, report } from "./page-report.js";

/** Gradients of the sum of a depthwise convolution of a convolution of 1…9, all weights 1. */
async function gradients(): Promise<unknown> {
  enableWasmTraining();
  if (!(await tf.setBackend("wasm"))) return "setBackend failed";
  const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const convolved = (weights: tf.Tensor, depthwiseWeights: tf.Tensor): tf.Scalar => {
    const inner = tf.conv2d(image, weights as tf.Tensor4D, 1, "valid");
    return tf.sum(tf.depthwiseConv2d(inner, depthwiseWeights as tf.Tensor4D, 1, "valid"));
  };
  const [weights, depthwiseWeights] = tf.grads(convolved)([tf.ones([2, 2, 1, 2]), tf.ones([2, 2, 2, 1])]);
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  return {
    isolated: crossOriginIsolated,
    shared: Object.prototype.toString.call(wasm.HEAPU8.buffer) === "[object SharedArrayBuffer]",
    weights: Array.from(weights.dataSync()),
    depthwiseWeights: Array.from(depthwiseWeights.dataSync()),
  };
}

attempt(gradients).then(report);
