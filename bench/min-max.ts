import { minMax } from "./bitpress.js";
import { boundsOf } from "./bounds.js";
import { CHANNEL_LAYOUTS, type ChannelLayout } from "./channel-layouts.js";
import { compare, type Row } from "./comparison.js";
import { minMaxChannelLoop, minMaxLoops } from "./loops/min-max.js";
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
      { name: "JS loop", run: minMaxLoops.map((loop) => () => loop(x)), floor: 10 },
      { name: "tfjs wasm, 2 ops", run: dropping(() => [tensor.min(), tensor.max()]), floor: 15 },
      ...boundsOf("minMax", ELEMENTS),
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
    peers: [{ name: "JS loop", run: () => minMaxChannelLoop(x, layout.channels, layout.inner) }],
  });
}
