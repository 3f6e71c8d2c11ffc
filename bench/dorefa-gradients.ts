import { type NoiseSource, noiseKey } from "../src/reference/gradient-noise.js";
import { dorefaGradients } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { compare, type Row } from "./comparison.js";
import { gradientsLoop, randomLoop } from "./loops/dorefa-gradients.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

const SOURCE: NoiseSource = { seed: 7, step: 100, tensor: 3 };
const BITS = 4;
/** Samples of 1,024 elements. */
const BATCH = 64;

export default async function measure(): Promise<Row[]> {
  const tf = await startTensorflow();
  const dr = normalValues(ELEMENTS);
  const out = new Float32Array(ELEMENTS);
  const [from, to] = [resident(dr), resident(out)];
  const key = noiseKey(SOURCE);
  const tensor = tf.tensor2d(dr, [BATCH, ELEMENTS / BATCH]);
  const noise = tf.randomUniform(tensor.shape, -0.5, 0.5);
  const n = 2 ** BITS - 1;
  const rounded = (sigma: () => typeof noise) => () => {
    const m = tensor.abs().max(1, true);
    return tensor
      .div(m)
      .mul(n / 2)
      .add(n / 2)
      .add(sigma())
      .round()
      .clipByValue(0, n)
      .mul(2 / n)
      .sub(1)
      .mul(m);
  };
  const bounds = boundsOf("dorefaGradients", ELEMENTS);
  const rows = await compare({
    kernel: `DoReFa gradients, ${BITS} bits`,
    elements: ELEMENTS,
    resident: () => dorefaGradients(from(), BITS, { ...SOURCE, batch: BATCH, out: to() }),
    plain: () => dorefaGradients(dr, BITS, { ...SOURCE, batch: BATCH, out }),
    peers: [
      { name: "JS loop", run: () => gradientsLoop(dr, BITS, BATCH, key, out), floor: 10 },
      { name: "JS loop, Math.random and no rounding", run: () => randomLoop(out) },
      { name: "tfjs wasm, 11 ops, noise at hand", run: dropping(rounded(() => noise)) },
      {
        name: "tfjs wasm, 11 ops, and its random numbers",
        run: dropping(rounded(() => tf.randomUniform(tensor.shape, -0.5, 0.5))),
      },
      ...bounds,
    ],
  });
  const noiseRows = await compare({
    kernel: "the noise of DoReFa gradients alone",
    elements: ELEMENTS,
    resident: bounds[0].run,
    peers: [{ name: "JS loop, Math.random", run: () => randomLoop(out), floor: 10 }],
  });
  return [...rows, ...noiseRows];
}
