import { foldBatchNorm } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { normalValues } from "./values.js";

const SHAPE = [3, 3, 128, 128];
const CHANNELS = 128;
const EPSILON = 1e-3;

/** Weights of one 3x3 convolution. foldBatchNorm returns fresh arrays and refuses NaN: both are in its time. */
export default async function measure(): Promise<Row[]> {
  const tf = await startTensorflow();
  const weights = normalValues(SHAPE.reduce((product, size) => product * size, 1));
  const [bias, gamma, beta, mean, spread] = [2, 3, 4, 5, 6].map((seed) => normalValues(CHANNELS, seed));
  const variance = spread.map((value) => value * value);
  const from = resident(weights);
  const rest = { bias, gamma, beta, mean, variance, epsilon: EPSILON };
  const options = { shape: SHAPE, axis: 3 };
  const tensors = { weights: tf.tensor2d(weights, [weights.length / CHANNELS, CHANNELS]), k: tf.tensor1d(gamma) };
  return compare({
    kernel: "fold batch norm, 3x3x128x128",
    elements: weights.length,
    resident: () => foldBatchNorm({ weights: from(), ...rest }, options),
    plain: () => foldBatchNorm({ weights, ...rest }, options),
    peers: [
      { name: "JS loop, fresh array, no check", run: () => loop(weights, gamma, variance) },
      { name: "tfjs wasm, 1 op on the weights", run: dropping(() => tensors.weights.mul(tensors.k)) },
    ],
  });
}

function loop(weights: Float32Array, gamma: Float32Array, variance: Float32Array): Float32Array {
  const channels = gamma.length;
  const k = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    k[c] = gamma[c] * Math.fround(1 / Math.fround(Math.sqrt(Math.fround(variance[c] + Math.fround(EPSILON)))));
  }
  const out = new Float32Array(weights.length);
  for (let i = 0; i < weights.length; ) {
    for (let c = 0; c < channels; c++, i++) out[i] = weights[i] * k[c];
  }
  return out;
}
