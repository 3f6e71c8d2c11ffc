import { dorefaWeights } from "./bitpress.js";
import { compare, type Peer, type Row } from "./comparison.js";
import { looseTanhLoop, oneBitLoop, tableLoop, tanhLoop, twoBitLoop } from "./loops/dorefa-weights.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

export default async function measure(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bits of [1, 2, 4, 8]) rows.push(...(await measureBits(bits)));
  return rows;
}

async function measureBits(bits: number): Promise<Row[]> {
  const tf = await startTensorflow();
  const w = normalValues(ELEMENTS);
  const out = new Float32Array(ELEMENTS);
  const [from, to] = [resident(w), resident(out)];
  const tensor = tf.tensor1d(w);
  const half = (2 ** bits - 1) / 2;
  const signs = (): ReturnType<typeof tf.where> => {
    const mean = tensor.abs().mean();
    return tf.where(tensor.greaterEqual(0), mean, mean.neg());
  };
  const rounded = () => {
    const t = tensor.tanh();
    return t
      .div(t.abs().max())
      .mul(half)
      .add(half)
      .round()
      .mul(1 / half)
      .sub(1);
  };
  const loops: Peer[] =
    bits === 1
      ? [{ name: "JS loop", run: () => oneBitLoop(w, bits, out), floor: 10 }]
      : [
          { name: "JS loop, tanh, same codes", run: () => tanhLoop(w, bits, out), floor: bits === 2 ? 40 : 10 },
          { name: "JS loop, Math.tanh, other codes near ties", run: () => looseTanhLoop(w, bits, out) },
          {
            name: "JS loop, thresholds found first, same codes",
            run: [tableLoop, ...(bits === 2 ? [twoBitLoop] : [])].map((loop) => () => loop(w, bits, out)),
            floor: 10,
          },
        ];
  return compare({
    kernel: `DoReFa weights, ${bits} bit${bits === 1 ? "" : "s"}`,
    elements: ELEMENTS,
    resident: () => dorefaWeights(from(), bits, { out: to() }),
    plain: () => dorefaWeights(w, bits, { out }),
    peers: [
      ...loops,
      { name: `tfjs wasm, ${bits === 1 ? 5 : 9} ops`, run: dropping(bits === 1 ? signs : rounded), floor: 9 },
    ],
  });
}
