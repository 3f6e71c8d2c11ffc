import { createRequire } from "node:module";
import { loadTflite, tensorsOf } from "../tests/peers/tflite-module.js";
import { createSession, writeTflite } from "./bitpress.js";
import type { Row } from "./comparison.js";
import { interleave, median, ratio, type Variant } from "./interleave.js";
import { type LayerShape, layerGraph } from "./layer-graphs.js";
import { evenCodes } from "./values.js";

/** Layers of ResNet-8, MobileNetV2 and the project's CNNs, and how many times as fast as XNNPACK they are to be. */
const LAYERS: readonly (LayerShape & { readonly name: string; readonly floor: number })[] = [
  { name: "conv 3x3, 1→16, 28²", op: "conv2d", side: 28, inputs: 1, outputs: 16, kernel: 3, floor: 2.4 },
  { name: "conv 3x3, 3→16, 32²", op: "conv2d", side: 32, inputs: 3, outputs: 16, kernel: 3, floor: 2.4 },
  { name: "conv 3x3, 16→16, 32²", op: "conv2d", side: 32, inputs: 16, outputs: 16, kernel: 3, floor: 2.8 },
  { name: "conv 3x3, 32→32, 16²", op: "conv2d", side: 16, inputs: 32, outputs: 32, kernel: 3, floor: 3.5 },
  { name: "conv 3x3, 64→64, 8²", op: "conv2d", side: 8, inputs: 64, outputs: 64, kernel: 3, floor: 3.5 },
  {
    name: "conv 3x3 / 2, 16→32, 32²",
    op: "conv2d",
    side: 32,
    inputs: 16,
    outputs: 32,
    kernel: 3,
    stride: 2,
    floor: 1.3,
  },
  {
    name: "conv 3x3 / 2, 32→64, 16²",
    op: "conv2d",
    side: 16,
    inputs: 32,
    outputs: 64,
    kernel: 3,
    stride: 2,
    floor: 1.3,
  },
  { name: "conv 1x1, 16→96, 112²", op: "conv2d", side: 112, inputs: 16, outputs: 96, floor: 1.25 },
  { name: "conv 1x1, 64→64, 25²", op: "conv2d", side: 25, inputs: 64, outputs: 64, floor: 1.25 },
  { name: "conv 1x1, 384→64, 14²", op: "conv2d", side: 14, inputs: 384, outputs: 64, floor: 1.25 },
  { name: "conv 1x1, 160→960, 7²", op: "conv2d", side: 7, inputs: 160, outputs: 960, floor: 1.25 },
  { name: "depthwise 3x3, 64, 25²", op: "depthwiseConv2d", side: 25, inputs: 64, outputs: 64, kernel: 3, floor: 1.4 },
  {
    name: "depthwise 3x3, 144, 56²",
    op: "depthwiseConv2d",
    side: 56,
    inputs: 144,
    outputs: 144,
    kernel: 3,
    floor: 1.4,
  },
  {
    name: "depthwise 3x3 / 2, 96, 112²",
    op: "depthwiseConv2d",
    side: 112,
    inputs: 96,
    outputs: 96,
    kernel: 3,
    stride: 2,
    floor: 1.4,
  },
  { name: "add, 32², 16", op: "add", side: 32, inputs: 16, outputs: 16, floor: 2 },
  { name: "add, 56², 24", op: "add", side: 56, inputs: 24, outputs: 24, floor: 2 },
  { name: "fully connected, 1280→256", op: "fullyConnected", side: 1, inputs: 1280, outputs: 256, floor: 1 },
  { name: "fully connected, 64→10", op: "fullyConnected", side: 1, inputs: 64, outputs: 10, floor: 1 },
];

/** Files of one layer: sessions of two rounding rules against TensorFlow Lite with XNNPACK, copies of inputs and outputs included. */
export default async function measure(): Promise<Row[]> {
  const tflite = await loadTflite(createRequire(import.meta.url));
  const rows: Row[] = [];
  for (const { name, floor, ...shape } of LAYERS) {
    const file = writeTflite(layerGraph(shape));
    const model = tflite.load(file);
    const inputs = tensorsOf(model.GetInputs());
    const [output] = tensorsOf(model.GetOutputs());
    const given = Object.fromEntries(
      inputs.map((input, i) => [input.name, evenCodes(input.data().length, -128, 127, i)]),
    );
    const out = new Int8Array(output.data().length);
    const sessionRun = (rounding: "integer" | "float32"): Variant => {
      const session = createSession(file, { rounding });
      const outputs = session.run(given);
      return () => session.run(given, outputs);
    };
    const variants = {
      integer: sessionRun("integer"),
      float32: sessionRun("float32"),
      xnnpack: () => {
        for (const input of inputs) input.data().set(given[input.name]);
        if (!model.Infer()) throw new Error("tfjs-tflite: expected an inference, got a failure");
        out.set(output.data());
      },
    };
    const times = await interleave(variants, { rounds: 21, roundMs: 2 });
    for (const rule of ["integer", "float32"] as const) {
      rows.push({
        kernel: `${name}, "${rule}", per run`,
        microseconds: median(times[rule]) / 1e3,
        peer: `tfjs-tflite (XNNPACK), ${(median(times.xnnpack) / 1e3).toFixed(1)} µs`,
        ratio: ratio(times, rule, "xnnpack"),
        floor,
      });
    }
  }
  return rows;
}
