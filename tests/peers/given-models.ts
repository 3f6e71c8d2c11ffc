import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { sizeOf } from "../../src/core/shape.js";
import { readTflite } from "../../src/formats/tflite/read-tflite.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { DifferenceTable } from "./difference-table.js";
import { operate } from "./file-surgery.js";
import { JUDGES, type Judge, judgedRun, type Run } from "./judges.js";
import { randomCodes } from "./random-codes.js";
import { tfliteRunner } from "./tflite-runner.js";

// Other people's int8 files, every tensor from the input to the last softmax: no code differs; of the softmax within 1, and the same
// class. The files stay where they are, beside the
// project; PEER_INPUTS sets the number of inputs.

const FOLDER = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const MODELS = ["kws_ref_model.tflite", "pretrainedResnet_quant.tflite"];
const INPUTS = Number(process.env.PEER_INPUTS ?? 300);

for (const model of MODELS) {
  const path = `${FOLDER}${model}`;
  describe(model, { skip: existsSync(path) ? false : `no ../shared/models/${model} beside the project` }, () => {
    for (const judge of JUDGES) {
      it(`"${judge.rounding}" gives ${judge.name}'s tensors`, async (t) => {
        const file = new Uint8Array(readFileSync(path));
        const graph = readTflite(file);
        const [input] = graph.inputs;
        const run = await runOf(file, judge);
        const table = new DifferenceTable();
        for (let i = 0; i < INPUTS; i++) {
          const inputs = { [input]: randomCodes(sizeOf(graph.tensors[input].shape), i) };
          const judged = await run(inputs);
          const own = runReference(graph, inputs, { rounding: judge.rounding, keepAll: true });
          for (const { op, output } of graph.nodes) {
            // Within a code of all three: exponentials are tabled otherwise.
            if (op === "softmax") assertSameClass(own[output], judged[output]);
            else table.add(op, own[output], judged[output]);
          }
        }
        t.diagnostic(`${INPUTS} inputs\n${table}`);
        assert.deepEqual(table.differing(), {});
      });
    }
  });
}

function assertSameClass(own: ArrayLike<number>, judged: ArrayLike<number>): void {
  const differences = Array.from(own, (code, i) => Math.abs(code - judged[i]));
  assert.ok(Math.max(...differences) <= 1, `softmax: ${own} and ${judged}`);
  const classOf = (codes: ArrayLike<number>): number => Array.from(codes).indexOf(Math.max(...Array.from(codes)));
  assert.equal(classOf(own), classOf(judged));
}

/** tfjs-tflite runs the file itself, with all tensors as outputs; LiteRT.js, which takes no int8, what writeTflite makes of it. */
async function runOf(file: Uint8Array, judge: Judge): Promise<Run> {
  if (judge.name === "litert") return judgedRun(readTflite(file), judge);
  const run = await tfliteRunner(operate(file, { exposeAll: true }), judge.name === "tflite" ? "builtin" : "xnnpack");
  return async (inputs) => run(inputs) as Awaited<ReturnType<Run>>;
}
