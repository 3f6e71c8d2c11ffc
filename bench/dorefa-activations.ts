import { unitGrid } from "../src/core/unit-grid.js";
import { dorefaActivations, dorefaActivationsGradient, signActivations } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { compare, type Row } from "./comparison.js";
import { fakeQuantizeLoops } from "./loops/fake-quantize.js";
import { gradientLoops } from "./loops/fake-quantize-gradient.js";
import { signLoops } from "./loops/sign-activations.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

const BITS = 2;

/** Activations forward and backward, and signs. Their loops are those of fake-quantize, of which activations are a case. */
export default async function measure(): Promise<Row[]> {
  const tf = await startTensorflow();
  const [x, dy] = [normalValues(ELEMENTS), normalValues(ELEMENTS, 2)];
  const out = new Float32Array(ELEMENTS);
  const [xFrom, dyFrom, to] = [resident(x), resident(dy), resident(out)];
  const [xTensor, dyTensor] = [tf.tensor1d(x), tf.tensor1d(dy)];
  const { scale, zeroPoint, qmin, qmax } = unitGrid(BITS);
  return [
    ...(await compare({
      kernel: `DoReFa activations, ${BITS} bits`,
      elements: ELEMENTS,
      resident: () => dorefaActivations(xFrom(), BITS, { out: to() }),
      plain: () => dorefaActivations(x, BITS, { out }),
      peers: [
        {
          name: "JS loop",
          run: fakeQuantizeLoops.map((loop) => () => loop(x, out, scale, zeroPoint, qmin, qmax)),
        },
        { name: "tfjs wasm, 4 ops", run: dropping(() => xTensor.clipByValue(0, 1).mul(qmax).round().div(qmax)) },
        ...boundsOf("dorefaActivations", ELEMENTS),
      ],
    })),
    ...(await compare({
      kernel: "DoReFa activations, gradient",
      elements: ELEMENTS,
      resident: () => dorefaActivationsGradient(dyFrom(), xFrom(), BITS, { out: to() }),
      plain: () => dorefaActivationsGradient(dy, x, BITS, { out }),
      peers: [
        { name: "JS loop", run: gradientLoops.map((loop) => () => loop(dy, x, out, 0, 1)) },
        {
          name: "tfjs wasm, 5 ops",
          run: dropping(() => dyTensor.mul(xTensor.greaterEqual(0).logicalAnd(xTensor.lessEqual(1)).toFloat())),
        },
      ],
    })),
    ...(await compare({
      kernel: "sign activations",
      elements: ELEMENTS,
      resident: () => signActivations(xFrom(), { out: to() }),
      plain: () => signActivations(x, { out }),
      peers: [
        { name: "JS loop", run: signLoops.map((loop) => () => loop(x, out)) },
        { name: "tfjs wasm, 4 ops", run: dropping(() => xTensor.greaterEqual(0).toFloat().mul(2).sub(1)) },
      ],
    })),
  ];
}
