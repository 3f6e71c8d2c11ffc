import { minMax } from "./bitpress.js";
import { CHANNEL_LAYOUTS, type ChannelLayout } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { resident } from "./resident.js";
import { dropping, startTensorflow } from "./tensorflow.js";
import { ELEMENTS, normalValues } from "./values.js";

export default async function measure(): Promise<Row[]> {
  const rows = [
    ...(await measureTensor("min/max", normalValues(ELEMENTS))),
    ...(await measureTensor(
      "min/max, all positive",
      normalValues(ELEMENTS).map((value) => 5 + Math.abs(value)),
    )),
  ];
  for (const layout of CHANNEL_LAYOUTS) rows.push(...(await measureChannels(layout)));
  return rows;
}

async function measureTensor(kernel: string, x: Float32Array): Promise<Row[]> {
  const tf = await startTensorflow();
  const from = resident(x);
  const tensor = tf.tensor1d(x);
  return compare({
    kernel,
    elements: ELEMENTS,
    resident: () => minMax(from()),
    plain: () => minMax(x),
    peers: [
      { name: "JS loop", run: [branchLoop, minMaxLoop].map((loop) => () => loop(x)), floor: 10 },
      { name: "tfjs wasm, 2 ops", run: dropping(() => [tensor.min(), tensor.max()]), floor: 15 },
    ],
  });
}

async function measureChannels(layout: ChannelLayout): Promise<Row[]> {
  const x = normalValues(layout.elements);
  const from = resident(x);
  const { shape, axis } = layout;
  return compare({
    kernel: `min/max, ${layout.name}`,
    elements: layout.elements,
    resident: () => minMax(from(), { shape, axis }),
    plain: () => minMax(x, { shape, axis }),
    peers: [{ name: "JS loop", run: () => channelLoop(x, layout) }],
  });
}

function branchLoop(x: Float32Array): [number, number] {
  const n = x.length;
  let lo = x[0];
  let hi = lo;
  for (let i = 1; i < n; i++) {
    const value = x[i];
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  return [lo, hi];
}

function minMaxLoop(x: Float32Array): [number, number] {
  const n = x.length;
  let lo = x[0];
  let hi = lo;
  for (let i = 1; i < n; i++) {
    lo = Math.min(lo, x[i]);
    hi = Math.max(hi, x[i]);
  }
  return [lo, hi];
}

function channelLoop(x: Float32Array, { channels, inner }: ChannelLayout): [Float32Array, Float32Array] {
  const n = x.length;
  const min = new Float32Array(channels).fill(Number.POSITIVE_INFINITY);
  const max = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      let lo = min[c];
      let hi = max[c];
      for (const end = i + inner; i < end; i++) {
        lo = Math.min(lo, x[i]);
        hi = Math.max(hi, x[i]);
      }
      min[c] = lo;
      max[c] = hi;
    }
  }
  return [min, max];
}
