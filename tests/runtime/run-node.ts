import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import { sizeOf } from "../../src/core/shape.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../src/graph/validate-quantized.js";
import { type LayerStep, stepExtent, type TensorByte } from "../../src/runtime/layer-step.js";
import type { Operand } from "../../src/runtime/op-plan.js";
import { planOp } from "../../src/runtime/plan-op.js";
import { referenceStep, type TensorData } from "../../src/runtime/reference-step.js";
import { type Border, NO_BORDER, tensorLayout } from "../../src/runtime/tensor-layout.js";
import type { InferExports } from "../../src/wasm/exports.js";
import { LAYER_BYTES, LAYER_KERNELS, LAYER_WORDS } from "../../src/wasm/layer-words.js";
import { codesOf } from "./random-layers.js";

// One node on the kernels, in a memory of its own: every tensor with a border, canaries around and in all of it.

const PAGES = 16;
const CONSTANTS_PTR = 16;
const FREE_PTR = 128;
const CANARY_BYTES = 64;
const ARRAYS = { int8: Int8Array, float32: Float32Array, int32: Int32Array };

/** What memory holds beside tensors. */
const CANARIES = new Uint8Array(codesOf(PAGES * 65536, 99).buffer);

const instances = (["simd", "debug"] as const).map((build) => {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const bytes = readFileSync(new URL(`../../dist/wasm/infer.${build}.wasm`, import.meta.url));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return { build, memory, exports: exports as unknown as InferExports };
});

/** A node in a graph of its own, with what it reads. */
export interface NodeCase {
  readonly graph: QuantizedGraph;
  /** By the name of a tensor; constants have theirs. */
  readonly data: Readonly<Record<string, TensorData>>;
  readonly rounding: RoundingRule;
  /** Of the int8 images, chosen by this number. */
  readonly borders: number;
}

/** A graph of one node whose inputs are a, b, …, filled with codes. */
export function caseOf(
  node: QuantizedNode,
  tensors: Readonly<Record<string, QuantizedTensor>>,
  { rounding, borders, seed }: { rounding: RoundingRule; borders: number; seed: number },
): NodeCase {
  const named = [...node.inputs, node.output];
  const inputs = node.inputs.filter((name, i) => node.inputs.indexOf(name) === i && !("data" in tensors[name]));
  const graph: QuantizedGraph = {
    name: "one node",
    inputs,
    outputs: [node.output],
    tensors: Object.fromEntries(named.map((name) => [name, tensors[name]])),
    nodes: [node],
  };
  validateQuantizedGraph(graph);
  const data = Object.fromEntries(
    node.inputs.map((name, i) => {
      const tensor = tensors[name];
      if (tensor.dtype !== "int8") return [name, Float32Array.from(codesOf(sizeOf(tensor.shape), seed + i))];
      return [name, tensor.data ?? codesOf(sizeOf(tensor.shape), seed + i)];
    }),
  );
  return { graph, data, rounding, borders };
}

/** Rounding rules, borders and seeds of cases. */
export const settings = fc.record({
  rounding: fc.constantFrom<RoundingRule[]>("integer", "tflite", "float32"),
  borders: fc.nat(255),
  seed: fc.nat(),
});

/** What the definition makes of a case. */
export function expectedOf({ graph, data, rounding }: NodeCase): TensorData {
  const [node] = graph.nodes;
  const output = graph.tensors[node.output];
  const out = new ARRAYS[output.dtype](sizeOf(output.shape));
  const inputs = node.inputs.map((name) => data[name]);
  referenceStep(graph, node, rounding)(inputs, out);
  return out;
}

/**
 * Checks that both builds make of a case what its definition makes of it, and write nothing else; returns the names of the kernels
 * that ran, none where the node has no kernel.
 */
export function checkNode(given: NodeCase): string[] {
  const { graph, rounding } = given;
  const [node] = graph.nodes;
  const plan = planOp(graph, node, rounding);
  if (plan === undefined) return [];
  const operandOf = (name: string, i: number): Operand => {
    const tensor = graph.tensors[name];
    const bordered = tensor.dtype === "int8" && tensor.shape.length === 4 && !(plan.dense && name !== node.output);
    const layout = tensorLayout(tensor, bordered ? borderOf(given.borders + 3 * i) : NO_BORDER);
    return { name: i < 0 ? "output" : `input ${i}`, shape: tensor.shape, layout };
  };
  const inputs = node.inputs.map(operandOf);
  const output = operandOf(node.output, -1);
  const steps = plan.steps(inputs, output);
  const expected = expectedOf(given);
  const { dtype } = graph.tensors[node.output];
  for (const { build, memory, exports } of instances) {
    for (const last of inputs) {
      const result = runSteps(memory, exports, steps, { inputs, output, last }, (i) => given.data[node.inputs[i]]);
      const elements = new ARRAYS[dtype](result.buffer as ArrayBuffer);
      assert.deepEqual(elements, expected, `${node.op}, ${rounding}, ${build}`);
    }
  }
  return [...new Set(steps.map(({ kernel }) => kernel))];
}

/** One of a few borders, none among them. */
function borderOf(choice: number): Border {
  const bits = choice % 16;
  return { top: bits & 1, left: (bits >> 1) & 1, bottom: ((bits >> 2) & 1) * 2, right: ((bits >> 3) & 1) * 3 };
}

/** Runs steps; what they read of the input `last` ends where the memory does, so that a kernel that reads on is trapped. */
function runSteps(
  memory: WebAssembly.Memory,
  exports: InferExports,
  steps: readonly LayerStep[],
  { inputs, output, last }: { inputs: readonly Operand[]; output: Operand; last: Operand },
  dataOf: (input: number) => TensorData,
): Uint8Array {
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(CANARIES);
  assert.ok(exports.initConstants(CONSTANTS_PTR) <= FREE_PTR - CONSTANTS_PTR);
  let free = FREE_PTR;
  const reserve = (size: number): number => {
    const at = free + CANARY_BYTES;
    free = Math.ceil((at + size) / 16) * 16;
    assert.ok(free + CANARY_BYTES <= bytes.length, "memory of the test");
    return at;
  };
  const places = new Map<string, number>();
  for (const { name, layout } of [...inputs, output]) {
    // No more than a plan gives: the tensor and what its readers read over its end.
    const ends = steps.flatMap((step) => {
      const { reads, reads2, writes } = stepExtent(step);
      const touched: [TensorByte | undefined, number][] = [
        [step.x, reads],
        [step.x2, reads2],
        [step.y, writes],
      ];
      return touched.filter(([byte]) => byte?.tensor === name).map(([byte, end]) => (byte?.offset ?? 0) + end);
    });
    for (const end of name === "output" ? ends : []) assert.ok(end <= layout.bytes, "writes within the output");
    if (name === last.name) places.set(name, bytes.length - Math.max(...ends));
    else places.set(name, reserve(Math.max(layout.bytes, ...ends)));
  }
  for (const [i, input] of inputs.entries()) {
    const data = dataOf(i);
    const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    eachByte(input, places.get(input.name) as number, (ptr, at) => {
      bytes[ptr] = source[at];
    });
  }
  const scratchBytes = Math.max(...steps.map((step) => step.scratchBytes));
  const scratch = reserve(scratchBytes);
  const place = (data: Int8Array | Int16Array | Int32Array | Uint32Array | undefined): number => {
    if (data === undefined) return 0;
    const at = reserve(data.byteLength);
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    return at;
  };
  const constants = steps.map(({ weights, blocks, taps }) => ({
    weights: place(weights),
    blocks: place(blocks),
    taps: place(taps),
  }));
  const words = reserve(steps.length * LAYER_BYTES);
  const addressOf = (byte: TensorByte | undefined): number =>
    byte === undefined ? 0 : (places.get(byte.tensor) as number) + byte.offset;
  for (const [i, step] of steps.entries()) {
    const named: Record<string, number> = {
      ...step.numbers,
      ...constants[i],
      kernel: LAYER_KERNELS.indexOf(step.kernel),
      x: addressOf(step.x),
      x2: addressOf(step.x2),
      y: addressOf(step.y),
      scratch,
    };
    new Int32Array(memory.buffer, words + i * LAYER_BYTES, LAYER_BYTES / 4).set(
      LAYER_WORDS.map((name) => named[name] ?? 0),
    );
  }
  assert.ok(free + CANARY_BYTES <= (places.get(last.name) as number), "memory of the test");
  const before = bytes.slice();
  exports.runLayers(words, steps.length);
  const result: number[] = [];
  eachByte(output, places.get("output") as number, (ptr) => {
    result.push(bytes[ptr]);
    before[ptr] = bytes[ptr];
  });
  before.set(bytes.subarray(scratch, scratch + scratchBytes), scratch);
  assert.ok(Buffer.compare(bytes, before) === 0, "bytes beside the output are as they were");
  return Uint8Array.from(result);
}

/** Visits every byte of a tensor's elements, row-major; `at` counts them. */
function eachByte({ layout }: Operand, address: number, visit: (ptr: number, at: number) => void): void {
  const { images, height, width, pixelBytes, rowBytes, imageBytes, origin } = layout;
  let at = 0;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < height; row++) {
      const start = address + origin + image * imageBytes + row * rowBytes;
      for (let byte = 0; byte < width * pixelBytes; byte++) visit(start + byte, at++);
    }
  }
}
