// A network in integers, as plain data, and what a session must make of it: the same bytes on every host.
import type { QuantizedGraph, Session, SessionOptions } from "bitpress/runtime";
import { type Check, pseudoRandom } from "./smoke-check.js";

type CreateSession = (graph: QuantizedGraph, options?: SessionOptions) => Session;

/**
 * 9 × 7 float pixels of 3 channels; conv2d 3 × 3 with stride 2, depthwise 3 × 3, a sum, an average pool, dense, softmax.
 * Odd sizes throughout, so that rows, columns and channels have tails.
 */
export function smokeGraph(): QuantizedGraph {
  const map = [1, 5, 4, 11];
  return {
    name: "smoke",
    inputs: ["image"],
    outputs: ["probs"],
    tensors: {
      image: { dtype: "float32", shape: [1, 9, 7, 3] },
      pixels: { dtype: "int8", shape: [1, 9, 7, 3], scale: Math.fround(6 / 255), zeroPoint: -1 },
      conv: { dtype: "int8", shape: map, scale: Math.fround(0.02), zeroPoint: -128 },
      depthwise: { dtype: "int8", shape: map, scale: Math.fround(0.01), zeroPoint: 5 },
      sum: { dtype: "int8", shape: map, scale: Math.fround(0.035), zeroPoint: -20 },
      pool: { dtype: "int8", shape: [1, 2, 2, 11], scale: Math.fround(0.035), zeroPoint: -20 },
      flat: { dtype: "int8", shape: [1, 44], scale: Math.fround(0.035), zeroPoint: -20 },
      logits: { dtype: "int8", shape: [1, 10], scale: Math.fround(0.03), zeroPoint: 3 },
      classes: { dtype: "int8", shape: [1, 10], scale: 1 / 256, zeroPoint: -128 },
      probs: { dtype: "float32", shape: [1, 10] },
    },
    nodes: [
      { op: "quantize", name: "pixels", inputs: ["image"], output: "pixels" },
      {
        ...{ op: "conv2d", name: "conv", inputs: ["pixels"], output: "conv", activation: "relu" },
        ...{ strides: [2, 2], padding: "same", dilations: [1, 1] },
        ...linear([11, 3, 3, 3], 11, 6 / 255),
      },
      {
        ...{ op: "depthwiseConv2d", name: "depthwise", inputs: ["conv"], output: "depthwise", activation: "linear" },
        ...{ strides: [1, 1], padding: "same", dilations: [1, 1], multiplier: 1 },
        ...linear([3, 3, 11], 11, 0.02),
      },
      { op: "add", name: "sum", inputs: ["conv", "depthwise"], output: "sum", activation: "linear" },
      {
        ...{ op: "averagePool2d", name: "pool", inputs: ["sum"], output: "pool", activation: "linear" },
        ...{ poolSize: [2, 2], strides: [2, 2], padding: "valid" },
      },
      { op: "reshape", name: "flat", inputs: ["pool"], output: "flat" },
      {
        ...{ op: "fullyConnected", name: "logits", inputs: ["flat"], output: "logits", activation: "linear" },
        ...{ keepDims: false },
        ...linear([10, 44], 10, 0.035),
      },
      { op: "softmax", name: "classes", inputs: ["logits"], output: "classes", beta: 1 },
      { op: "dequantize", name: "probs", inputs: ["classes"], output: "probs" },
    ],
  };
}

/** Weights of 8 bits with a scale for each of the channels, and biases that reach a few steps of the output. */
function linear<const S extends readonly number[]>(weightsShape: S, channels: number, inputScale: number) {
  const weights = Int8Array.from(pseudoRandom(weightsShape.reduce((a, b) => a * b)), (value) => Math.trunc(value * 42));
  const weightScales = new Float32Array(channels).map((_, i) => (0.1 + i / 50) / (10 * channels));
  const bias = Int32Array.from(pseudoRandom(channels), (value) => Math.trunc(value / (inputScale * 0.01)));
  return { weights, weightsShape, weightBits: 8, weightScales, bias } as const;
}

/** What a session makes of one image: its probabilities in steps of 1/256. */
export function classesOf(session: Session): Uint8Array {
  const { probs } = session.run({ image: pseudoRandom(9 * 7 * 3) });
  return Uint8Array.from(probs as Float32Array, (value) => value * 256);
}

/** Sessions of the graph under each rounding rule, of two images at once, and an error. */
export function checkSession(check: Check, createSession: CreateSession, entry: string): void {
  for (const [rounding, expected] of [
    ["integer", "Int8Array[220] fnv1a 5970ae7d"],
    ["tflite", "Int8Array[220] fnv1a afa0b956"],
    ["float32", "Int8Array[220] fnv1a afa0b956"],
  ] as const) {
    const session = createSession({ ...smokeGraph(), outputs: ["depthwise", "sum", "probs"] }, { rounding });
    // The rules differ in a code or two of the depthwise layer.
    const { depthwise } = session.run(pseudoRandom(9 * 7 * 3));
    check(`${entry} session ${rounding}`, depthwise, expected);
    session.dispose();
  }
  const pair = createSession(smokeGraph(), { batch: 2 });
  const { probs } = pair.run(pseudoRandom(2 * 9 * 7 * 3));
  check(`${entry} session of a batch`, probs, "Float32Array[20] fnv1a 90a4fdd6");
  pair.dispose();
  let message = "no error";
  try {
    pair.run(pseudoRandom(2 * 9 * 7 * 3));
  } catch (error) {
    message = String(error);
  }
  check(`${entry} session, disposed`, message, "Error: session.run: expected a live session, got a disposed one");
}
