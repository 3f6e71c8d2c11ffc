import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { reachesMemory } from "../../../src/tfjs/backend-memory.js";
import { noise } from "../../contracts/geometries.js";
import { relativeError } from "../../contracts/training-contract.js";

/** Where ops run: on kernels over the backend's arrays, in its memory, on copies; or as stock ops. */
export const PLACES = ["cpu", "wasm", "wasm, copying", "a backend without the library's kernels"] as const;
export type Place = (typeof PLACES)[number];

/** An op beside the stock ops that it equals. Several outputs are joined to one tensor. */
export interface Case {
  readonly what: string;
  readonly op: (...inputs: tf.Tensor[]) => tf.Tensor;
  readonly stock: (...inputs: tf.Tensor[]) => tf.Tensor;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly values?: Float32Array }[];
}

/** The cpu backend under another name, with stock kernels alone. */
const PLAIN = "plain";
let wasm: Place | undefined;

/** Makes the place the one where ops run. */
export async function go(place: Place): Promise<void> {
  if (place === "cpu") {
    await tf.setBackend("cpu");
  } else if (place === "wasm" || place === "wasm, copying") {
    await goToWasm(place);
  } else {
    if (tf.findBackend(PLAIN) === null) makePlain();
    await tf.setBackend(PLAIN);
  }
}

async function goToWasm(place: "wasm" | "wasm, copying"): Promise<void> {
  if (wasm !== place) {
    // Whether the memory is within reach is found out once for each backend.
    const factory = tf.findBackendFactory("wasm");
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", factory);
    setThreadsCount(1);
    await tf.setBackend("wasm");
    const module = (tf.backend() as unknown as { wasm: { asm: object } }).wasm;
    if (place === "wasm, copying") module.asm = Object.create(module.asm, { memory: { value: undefined } });
    wasm = place;
  }
  await tf.setBackend("wasm");
  assert.equal(reachesMemory(tf.backend()), place === "wasm");
}

function makePlain(): void {
  for (const kernel of tf.getKernelsForBackend("cpu")) {
    if (!kernel.kernelName.startsWith("Bitpress")) tf.registerKernel({ ...kernel, backendName: PLAIN });
  }
  tf.registerBackend(PLAIN, tf.findBackendFactory("cpu"));
}

/** Output and gradients for all inputs, for the gradient `noise(size, 99)` of the output; fails when a tensor is left behind. */
export function outputAndGradients(what: string, f: Case["op"], inputs: Case["inputs"]): Float32Array[] {
  return nothingLeft(what, () => {
    const tensors = inputs.map(({ shape, values }, i) =>
      tf.tensor(
        values ??
          noise(
            shape.reduce((a, b) => a * b, 1),
            i + 1,
          ),
        [...shape],
      ),
    );
    const y = f(...tensors);
    const dy = tf.tensor(noise(y.size, 99), y.shape);
    return [y, ...tf.grads(f)(tensors, dy)].map((tensor) => tensor.dataSync<"float32">().slice());
  });
}

/** Runs in a tidy; fails when a tensor, or data of one, is left behind. */
export function nothingLeft<T>(what: string, f: () => T): T {
  const { numTensors } = tf.memory();
  const ids = tf.backend().numDataIds();
  let result: T | undefined;
  tf.tidy(() => {
    result = f();
  });
  assert.equal(tf.memory().numTensors, numTensors, `${what}: tensors left behind`);
  assert.equal(tf.backend().numDataIds(), ids, `${what}: data left behind`);
  return result as T;
}

/** Outputs and gradients at a place are within 1e-5 of those of the stock ops on cpu, relative to the largest. */
export async function assertLikeStock(place: Place, cases: readonly Case[]): Promise<void> {
  await go("cpu");
  const expected = cases.map(({ what, stock, inputs }) => outputAndGradients(what, stock, inputs));
  await go(place);
  for (const [i, { what, op, inputs }] of cases.entries()) {
    for (const [j, values] of outputAndGradients(what, op, inputs).entries()) {
      const error = relativeError(values, expected[i][j]);
      assert.ok(error <= 1e-5, `${what}: ${j === 0 ? "output" : `gradient ${j - 1}`} is off by ${error}`);
    }
  }
}

/** Names of the library's kernels that run, in order. */
export async function kernelsOf(f: () => tf.TensorContainer): Promise<string[]> {
  const { kernels, result } = await tf.profile(() => tf.tidy(f));
  tf.dispose(result as tf.TensorContainer);
  return kernels.map(({ name }) => name).filter((name) => name.startsWith("Bitpress"));
}
