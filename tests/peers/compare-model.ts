import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import { sizeOf } from "../../src/core/shape.js";
import { readTflite } from "../../src/formats/tflite/read-tflite.js";
import type { Int8Tensor, QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { createSession } from "../../src/runtime/create-session.js";
import type { TensorData } from "../../src/runtime/reference-step.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { inferBackend } from "../../src/wasm/load-infer.js";
import { DifferenceTable } from "./difference-table.js";
import { operate } from "./file-surgery.js";
import { JUDGES, type Judge, judgedRun, type Run } from "./judges.js";
import { tfliteRunner } from "./tflite-runner.js";

/** How many inputs each model is compared on. */
const INPUTS = Number(process.env.PEER_INPUTS ?? 300);

export const RULES: readonly RoundingRule[] = ["integer", "tflite", "float32"];

/** What an input is made for. */
export interface InputTensor {
  readonly length: number;
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * Compares all runtimes of a rule with its definition, on int8 inputs: sessions, which must give the same bytes, with the model's
 * outputs and with all its tensors; and the rule's judges, no code of which may differ up to the last softmax. Softmax within 1, and
 * the same class: exponentials are tabled otherwise.
 */
export async function compareModel(
  t: TestContext,
  file: Uint8Array,
  rounding: RoundingRule,
  makeInput: (tensor: InputTensor, i: number) => Int8Array,
): Promise<void> {
  const graph = readTflite(file);
  const [input] = graph.inputs;
  const { shape, scale, zeroPoint } = graph.tensors[input] as Int8Tensor;
  const allTensors: QuantizedGraph = { ...graph, outputs: graph.nodes.map(({ output }) => output) };
  const sessions = [createSession(file, { rounding }), createSession(allTensors, { rounding })];
  assert.equal(inferBackend(), "simd");
  const judges = JUDGES.filter((judge) => judge.rounding === rounding);
  const runs = await Promise.all(judges.map((judge) => runOf(file, judge)));
  const table = new DifferenceTable();
  for (let i = 0; i < INPUTS; i++) {
    const inputs = { [input]: makeInput({ length: sizeOf(shape), scale, zeroPoint }, i) };
    const own = runReference(graph, inputs, { rounding, keepAll: true });
    for (const session of sessions) {
      for (const [name, codes] of Object.entries(session.run(inputs))) table.add("sessions", codes, own[name]);
    }
    for (const [j, { name }] of judges.entries()) {
      const judged = await runs[j](inputs);
      for (const { op, output } of graph.nodes) {
        if (op === "softmax") assertSameClass(own[output], judged[output]);
        else table.add(`${name}: ${op}`, own[output], judged[output]);
      }
    }
  }
  for (const session of sessions) session.dispose();
  t.diagnostic(`${INPUTS} inputs\n${table}`);
  assert.deepEqual(table.differing(), {});
}

function assertSameClass(own: TensorData, judged: TensorData): void {
  const differences = Array.from(own, (code, i) => Math.abs(code - judged[i]));
  assert.ok(Math.max(...differences) <= 1, `softmax: ${own} and ${judged}`);
  const classOf = (codes: TensorData): number => codes.indexOf(Math.max(...codes));
  assert.equal(classOf(own), classOf(judged));
}

/** tfjs-tflite runs the file itself, with all tensors as outputs; LiteRT.js, which takes no int8, what writeTflite makes of it. */
async function runOf(file: Uint8Array, judge: Judge): Promise<Run> {
  if (judge.name === "litert") return judgedRun(readTflite(file), judge);
  const run = await tfliteRunner(operate(file, { exposeAll: true }), judge.name === "tflite" ? "builtin" : "xnnpack");
  return async (inputs) => run(inputs) as Awaited<ReturnType<Run>>;
}
