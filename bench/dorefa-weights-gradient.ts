import { dorefaWeightsGradient } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { looseWeightsGradientLoop, weightsGradientLoop } from "./loops/dorefa-weights-gradient.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

/** The gradient is the same from 2 bits on; with 1 bit it is a copy. */
export default async function measure(): Promise<Row[]> {
  const tf = await startTensorflow();
  const [w, dy] = [normalValues(ELEMENTS), normalValues(ELEMENTS, 2)];
  const out = new Float32Array(ELEMENTS);
  const [dyFrom, wFrom, to] = [resident(dy), resident(w), resident(out)];
  const [wTensor, dyTensor] = [tf.tensor1d(w), tf.tensor1d(dy)];
  return compare({
    kernel: "DoReFa weights, gradient",
    elements: ELEMENTS,
    resident: () => dorefaWeightsGradient(dyFrom(), wFrom(), 4, { out: to() }),
    plain: () => dorefaWeightsGradient(dy, w, 4, { out }),
    peers: [
      { name: "JS loop, same bits", run: () => weightsGradientLoop(dy, w, out), floor: 10 },
      { name: "JS loop, Math.tanh, other bits", run: () => looseWeightsGradientLoop(dy, w, out) },
      {
        name: "tfjs wasm, 16 ops",
        run: dropping(() => {
          const t = wTensor.tanh();
          const magnitude = t.abs();
          const limit = magnitude.max();
          const maxima = magnitude.equal(limit).toFloat();
          const share = dyTensor.mul(t).sum().div(limit.square()).div(maxima.sum());
          return dyTensor.div(limit).sub(maxima.mul(t.sign()).mul(share)).mul(t.square().neg().add(1));
        }),
        floor: 9,
      },
    ],
  });
}
