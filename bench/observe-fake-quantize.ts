import { movingAverageObserver } from "./bitpress.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

const GRID = { bits: 8 };
const MAGIC = 1.5 * 2 ** 52;

export default async function measure(): Promise<Row[]> {
  const tf = await startTensorflow();
  const x = normalValues(ELEMENTS);
  const out = new Float32Array(ELEMENTS);
  const range = Float32Array.of(-4, 4);
  const [from, to] = [resident(x), resident(out)];
  const observer = movingAverageObserver({ decay: 0.99 });
  const tensor = tf.tensor1d(x);
  return compare({
    kernel: "observe and fake-quantize",
    elements: ELEMENTS,
    resident: () => observer.observeFakeQuantize(from(), GRID, { out: to() }),
    plain: () => observer.observeFakeQuantize(x, GRID, { out }),
    peers: [
      { name: "JS loops", run: () => loops(x, out, range) },
      {
        name: "tfjs wasm, 8 ops",
        run: dropping(() => {
          range[0] = 0.99 * range[0] + 0.01 * tensor.min().dataSync()[0];
          range[1] = 0.99 * range[1] + 0.01 * tensor.max().dataSync()[0];
          const scale = (range[1] - range[0]) / 255;
          const zeroPoint = Math.round(-128 - range[0] / scale);
          return tensor.div(scale).round().add(zeroPoint).clipByValue(-128, 127).sub(zeroPoint).mul(scale);
        }),
      },
    ],
  });
}

function loops(x: Float32Array, out: Float32Array, range: Float32Array): void {
  const n = x.length;
  let min = x[0];
  let max = min;
  for (let i = 1; i < n; i++) {
    min = Math.min(min, x[i]);
    max = Math.max(max, x[i]);
  }
  range[0] = 0.99 * range[0] + 0.01 * min;
  range[1] = 0.99 * range[1] + 0.01 * max;
  const scale = Math.fround((range[1] - range[0]) / 255);
  const zeroPoint = Math.max(-128, Math.min(127, -128 - range[0] / scale + MAGIC - MAGIC));
  // The float64 product with 1/scale, rounded to float32, is fl(x/scale): see quantize.ts.
  const factor = 1 / scale;
  const lo = -128 - zeroPoint;
  const hi = 127 - zeroPoint;
  for (let i = 0; i < n; i++) {
    out[i] = Math.max(lo, Math.min(hi, Math.fround(x[i] * factor) + MAGIC - MAGIC)) * scale;
  }
}
