import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sizeOf } from "../../src/core/shape.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode } from "../../src/graph/quantized-graph.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { DifferenceTable } from "./difference-table.js";
import { JUDGES, type Judge, judgedRun } from "./judges.js";
import { randomCodes } from "./random-codes.js";

// Single ops whose scales are powers of two, or next to them, so that every other result is a tie.

type Fields = { readonly op: QuantizedNode["op"] } & Record<string, unknown>;

/** An op between tensors of these scales; all share the shape of the input, or the one that is given. */
interface Case {
  readonly name: string;
  readonly fields: Fields;
  readonly scales: readonly [...inputs: number[], output: number];
  readonly shape?: readonly number[];
  readonly outShape?: readonly number[];
  /** Output zero points equal the input's. */
  readonly same?: boolean;
}

const MAP = [1, 6, 6, 8];
const linear = { weightBits: 8, activation: "linear" };
const window = { strides: [1, 1], dilations: [1, 1], padding: "valid" };
const ones = (length: number): Int8Array => new Int8Array(length).fill(1);

function conv(scale: number): Case {
  const weights = Int8Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0)); // the identity
  const weightScales = Float32Array.of(1);
  const fields = { op: "conv2d", ...linear, ...window, weights, weightsShape: [8, 1, 1, 8], weightScales } as const;
  return { name: `conv2d ${scale}`, fields, scales: [scale, 1] };
}

function depthwise(scale: number): Case {
  const shape = { weights: ones(8), weightsShape: [1, 1, 8], weightScales: Float32Array.of(1), multiplier: 1 };
  const fields = { op: "depthwiseConv2d", ...linear, ...window, ...shape } as const;
  return { name: `depthwiseConv2d ${scale}`, fields, scales: [scale, 1] };
}

function fullyConnected(scale: number): Case {
  const layer = { weights: ones(24), weightsShape: [3, 8], weightScales: Float32Array.of(1), keepDims: false };
  const fields = { op: "fullyConnected", ...linear, ...layer } as const;
  return { name: `fullyConnected ${scale}`, fields, scales: [scale, 1], shape: [32, 8], outShape: [32, 3] };
}

function arithmetic(op: "add" | "subtract" | "multiply", ...scales: [number, number, number]): Case {
  return { name: `${op} ${scales}`, fields: { op, activation: "linear" }, scales };
}

function pointwise(op: QuantizedNode["op"], scales: [number, number], more: Record<string, unknown> = {}): Case {
  return { name: `${op} ${scales}`, fields: { op, ...more }, scales };
}

function mean(axes: number[], keepDims: boolean, scales: [number, number], same: boolean): Case {
  const outShape = keepDims ? MAP.map((n, i) => (axes.includes(i) ? 1 : n)) : MAP.filter((_, i) => !axes.includes(i));
  const name = `mean [${axes}] ${keepDims ? "kept" : "dropped"} ${scales}${same ? ", equal parameters" : ""}`;
  return { name, fields: { op: "mean", axes, keepDims }, scales, outShape, same };
}

function relu6(scale: number): Case {
  const made = conv(1);
  return {
    ...made,
    name: `conv2d relu6 ${scale}`,
    fields: { ...made.fields, activation: "relu6" },
    scales: [scale, scale],
  };
}

const pool = { poolSize: [2, 2], strides: [1, 1], padding: "same", activation: "linear" };
const CASES: readonly Case[] = [
  ...[0.5, 0.25, 2 ** -6, 1.5].flatMap((scale) => [conv(scale), depthwise(scale), fullyConnected(scale)]),
  ...[4, 12, 2.4].map(relu6),
  ...(["add", "subtract"] as const).flatMap((op) => [
    arithmetic(op, 0.5, 0.5, 1),
    arithmetic(op, 0.25, 0.5, 1),
    arithmetic(op, 0.3, 2 ** -9, 0.6),
    arithmetic(op, 1, 2 ** -11, 1),
  ]),
  ...[0.5, 0.25, 2 ** -5, 2 ** -15, 2 ** -16].map((scale) => arithmetic("multiply", scale, 0.5, 1)),
  ...[0.5, 0.25, 0.75].flatMap((scale) => [
    pointwise("quantize", [scale, 1]),
    pointwise("relu", [scale, 1]),
    pointwise("relu6", [scale, 1]),
    pointwise("leakyRelu", [scale, 1], { alpha: 0.5 }),
    pointwise("hardSwish", [scale / 4, 0.25]),
  ]),
  ...[true, false].flatMap((keep) => [
    mean([1, 2], keep, [0.5, 1], false),
    mean([1], keep, [0.5, 0.25], false),
    mean([1, 2], keep, [1, 1], true),
    mean([1], keep, [0.1, 0.1], true),
  ]),
  { name: "averagePool2d", fields: { op: "averagePool2d", ...pool }, scales: [0.1, 0.1], same: true },
  ...[4, 12].map(
    (scale): Case => ({
      name: `maxPool2d relu6 ${scale}`,
      fields: { op: "maxPool2d", ...pool, activation: "relu6" },
      scales: [scale, scale],
      same: true,
    }),
  ),
  {
    name: "resizeBilinear",
    fields: { op: "resizeBilinear", alignCorners: false, halfPixelCenters: true },
    scales: [0.1, 0.1],
    outShape: [1, 12, 12, 8],
    same: true,
  },
];

/**
 * Means over one axis. tfjs-tflite's XNNPACK leaves them to the builtin kernels, which truncate where the parameters are equal; that of
 * LiteRT.js forms the multiplier otherwise, which shows in ties where 1/n is no float32.
 */
const KNOWN: Readonly<Partial<Record<Judge["name"], Readonly<Record<string, string>>>>> = {
  xnnpack: {
    "mean [1] kept 0.1,0.1, equal parameters": "74 by 1",
    "mean [1] dropped 0.1,0.1, equal parameters": "74 by 1",
  },
  litert: {
    "mean [1] kept 0.1,0.1, equal parameters": "20 by 1",
    "mean [1] dropped 0.1,0.1, equal parameters": "20 by 1",
  },
};

describe("ties", () => {
  for (const judge of JUDGES) {
    it(`"${judge.rounding}" breaks them as ${judge.name} does`, async (t) => {
      const table = new DifferenceTable();
      // XNNPACK in tfjs-tflite takes no activation that leaves one code.
      const refused: string[] = [];
      for (const one of CASES) {
        for (const zeroPoint of [-128, -3, 0, 18]) {
          try {
            await compareCase(one, zeroPoint, judge, table);
          } catch (error) {
            if (!(error as Error).message.startsWith("tfjs-tflite: ")) throw error;
            refused.push(`${one.name} ${zeroPoint}`);
          }
        }
      }
      t.diagnostic(`${judge.name} refused ${refused.length}: ${refused.join(", ")}\n${table}`);
      assert.deepEqual(table.differing(), KNOWN[judge.name] ?? {});
    });
  }
});

async function compareCase(one: Case, zeroPoint: number, judge: Judge, table: DifferenceTable): Promise<void> {
  const graph = graphOf(one, zeroPoint);
  const inputs = Object.fromEntries(
    graph.inputs.map((name, i) => [name, randomCodes(sizeOf(graph.tensors[name].shape), 4 + 2 * i)]),
  );
  const judged = await (await judgedRun(graph, judge))(inputs);
  const own = runReference(graph, inputs, { rounding: judge.rounding });
  table.add(one.name, own.y, judged.y);
}

function graphOf(
  { fields, scales, shape = MAP, outShape = shape, same = false }: Case,
  zeroPoint: number,
): QuantizedGraph {
  const inputs = scales.slice(0, -1).map((_, i) => `x${i}`);
  const int8 = (scale: number, zero: number, sizes: readonly number[]): Int8Tensor => ({
    dtype: "int8",
    shape: sizes,
    scale: Math.fround(scale),
    zeroPoint: zero,
  });
  const tensors = Object.fromEntries(inputs.map((name, i) => [name, int8(scales[i], zeroPoint, shape)]));
  const outZeroPoint = same ? zeroPoint : Math.max(-128, 5 - zeroPoint);
  const y = int8(scales[scales.length - 1], Math.min(outZeroPoint, 127), outShape);
  const node = { name: "y", inputs, output: "y", ...fields } as unknown as QuantizedNode;
  return { name: "ties", inputs, outputs: ["y"], tensors: { ...tensors, y }, nodes: [node] };
}
