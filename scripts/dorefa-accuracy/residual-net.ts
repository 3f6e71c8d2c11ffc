import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { modelFolder } from "../../examples/data/models.js";
import { loadModel } from "../../examples/evaluate.js";

const FOLDER = join(fileURLToPath(new URL("../..", import.meta.url)), "examples/models/fashion-cnn");

/** The residual CNN of examples/models/fashion-cnn with weights as new: He's kernels, batch norms that do nothing yet. */
export async function residualNet(seed: number): Promise<tf.LayersModel> {
  const model = (await loadModel(modelFolder(FOLDER))) as tf.LayersModel;
  const fresh = model.weights.map(({ originalName, shape }, place) => {
    if (/kernel/.test(originalName)) return tf.initializers.heNormal({ seed: 100 * seed + place }).apply(shape);
    return /gamma|moving_variance/.test(originalName) ? tf.ones(shape as number[]) : tf.zeros(shape as number[]);
  });
  model.setWeights(fresh);
  tf.dispose(fresh);
  return model;
}
