import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { reachesMemory, withBuffers } from "../../src/tfjs/backend-memory.js";
import { batchNormTrainCall } from "../../src/wasm/batch-norm-train.js";
import { clipGradientCall } from "../../src/wasm/clip-gradient.js";
import { conv2dBackpropFilterCall } from "../../src/wasm/conv2d-backprop-filter.js";
import type { KernelCall } from "../../src/wasm/kernel-call.js";
import { backend, init } from "../../src/wasm/load.js";
import { geometryOf, noise } from "../contracts/geometries.js";
import { referenceOf, relativeError } from "../contracts/training-contract.js";

/** What these tests touch of the private side of the wasm backend. */
interface WasmBackend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory }; _malloc(bytes: number): number };
  numDataIds(): number;
  readSync(dataId: object): Float32Array;
  disposeData(dataId: object, force: boolean): void;
}

const wasmBackend = (): WasmBackend => tf.backend() as unknown as WasmBackend;

/** The backend without one of the pieces: the rest works on. */
function without(path: string): WasmBackend {
  const real = wasmBackend();
  const [first, second, third] = path.split(".");
  const hide = (owner: object, name: string, value: unknown): object => Object.create(owner, { [name]: { value } });
  if (second === undefined) return hide(real, first, undefined) as WasmBackend;
  const inner = real.wasm as unknown as Record<string, object>;
  const changed = third === undefined ? undefined : hide(inner[second], third, undefined);
  return hide(real, "wasm", hide(inner, second, changed)) as WasmBackend;
}

const sizes = { rows: 37, channels: 5, epsilon: 1e-3 };
const batchNorm = batchNormTrainCall(sizes);
const arrays = [noise(37 * 5, 1), noise(5, 2), noise(5, 3)];
const shapes = [[37, 5], [5], [5]];
const expected = referenceOf(batchNorm, arrays);

/** Runs batch normalization over tensors of the backend at work and reads the outputs. */
function normalize(target: WasmBackend): Float32Array[] {
  return tf.tidy(() => {
    const inputs = arrays.map((values, i) => tf.tensor(values, shapes[i]));
    const outputs = withBuffers(target, batchNorm, inputs, shapes);
    assert.deepEqual(
      outputs.map(({ shape, dtype }) => ({ shape, dtype })),
      shapes.map((shape) => ({ shape, dtype: "float32" })),
    );
    return outputs.map(({ dataId }) => {
      const values = wasmBackend().readSync(dataId).slice();
      wasmBackend().disposeData(dataId, true);
      return values;
    });
  });
}

/** A call whose kernel fails after its outputs were made. */
const failing: KernelCall = {
  ...batchNorm,
  run() {
    throw new Error("kernel failed");
  },
};

describe("tensors of a tfjs backend as a kernel's arrays", () => {
  let tensors = 0;
  let ids = 0;
  before(async () => {
    setThreadsCount(1);
    await tf.setBackend("wasm");
    tensors = tf.memory().numTensors;
    ids = wasmBackend().numDataIds();
  });
  afterEach(() => {
    assert.equal(tf.memory().numTensors, tensors, "tensors left behind");
    if (tf.getBackend() === "wasm") assert.equal(wasmBackend().numDataIds(), ids, "data left behind");
  });
  after(() => init());

  it("wasm: in place, on the backend's memory", () => {
    assert.equal(reachesMemory(tf.backend()), true);
    const { memory } = wasmBackend().wasm.asm;
    let address = -1;
    const call: KernelCall = {
      ...clipGradientCall(4, 0, 6),
      run: (exports, { inputs: [dy, x], outputs: [out] }) => {
        address = x;
        exports.clipGradientF32(dy, x, out, 4, 0, 6);
      },
    };
    const [dy, x] = [tf.tensor1d([1, 2, 3, 4]), tf.tensor1d([-1, 0, 6, 7])];
    const [out] = withBuffers(tf.backend(), call, [dy, x], [[2, 2]]);
    assert.deepEqual([...wasmBackend().readSync(out.dataId)], [0, 0, 3, 0]);
    assert.deepEqual([...new Float32Array(memory.buffer, address, 4)], [-1, 0, 6, 7]);
    wasmBackend().disposeData(out.dataId, true);
    tf.dispose([dy, x]);
  });

  it("wasm: the bytes of the reference", () => assert.deepEqual(normalize(wasmBackend()), expected));

  for (const piece of [
    "wasm",
    "wasm.asm",
    "wasm.asm.memory",
    "wasm.HEAPU8",
    "wasm._malloc",
    "wasm._free",
    "dataIdMap",
    "makeOutput",
    "disposeData",
  ]) {
    it(`wasm without ${piece}: not in place`, () => assert.equal(reachesMemory(without(piece)), false));
  }

  for (const piece of ["wasm.asm", "wasm.asm.memory", "makeOutput", "disposeData"]) {
    // Without the other pieces tfjs cannot read its own tensors.
    it(`wasm without ${piece}: copies, the same bytes`, () => assert.deepEqual(normalize(without(piece)), expected));
  }

  it("wasm whose malloc refuses: copies, the same bytes", () => {
    const real = wasmBackend();
    let refusals = 0;
    const refuse = (bytes: number): number => {
      // Scratch only: the backend's own tensors go on being allocated.
      if (bytes < 256) return real.wasm._malloc(bytes);
      refusals++;
      return 0;
    };
    const wasm = Object.create(real.wasm, { _malloc: { value: refuse } });
    const stingy = Object.create(real, { wasm: { value: wasm } }) as WasmBackend;
    assert.equal(reachesMemory(stingy), true);
    assert.deepEqual(normalize(stingy), expected);
    assert.ok(refusals > 0);
  });

  it("a memory shared between threads is left alone", () => {
    const like = (shared: boolean): object => {
      const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared });
      const wasm = { asm: { memory }, HEAPU8: new Uint8Array(memory.buffer), _malloc: () => 1024, _free: () => {} };
      return { wasm, dataIdMap: new Map(), makeOutput: () => {}, disposeData: () => {} };
    };
    assert.deepEqual([like(false), like(true)].map(reachesMemory), [true, false]);
  });

  it("a heap that is not the memory's is left alone", () => {
    const real = wasmBackend();
    const wasm = Object.create(real.wasm, { HEAPU8: { value: new Uint8Array(16) } });
    assert.equal(reachesMemory(Object.create(real, { wasm: { value: wasm } })), false);
  });

  it("survives growth of the heap, between calls and within one", () => {
    const { memory } = wasmBackend().wasm.asm;
    const before = memory.buffer.byteLength;
    const held: tf.Tensor[] = [];
    while (memory.buffer.byteLength === before) held.push(tf.zeros([1 << 18]));
    assert.deepEqual(normalize(wasmBackend()), expected);

    // Almost fill what there is, then ask for an output that does not fit.
    const n = 1 << 22;
    const [dy, x] = [tf.ones([n]), tf.fill([n], 3)];
    const between = memory.buffer.byteLength;
    const outs: tf.TensorInfo[] = [];
    while (memory.buffer.byteLength === between) {
      outs.push(...withBuffers(tf.backend(), clipGradientCall(n, 0, 6), [dy, x], [[n]]));
    }
    for (const { dataId } of outs) {
      assert.equal(
        wasmBackend()
          .readSync(dataId)
          .findIndex((value) => value !== 1),
        -1,
      );
      wasmBackend().disposeData(dataId, true);
    }
    assert.deepEqual(normalize(wasmBackend()), expected);
    tf.dispose([...held, dy, x]);
  });

  it("scratch grows with the calls, and stays the kernels' own", () => {
    for (const side of [4, 40, 12, 100, 60]) {
      const call = conv2dBackpropFilterCall(
        geometryOf({ batch: 1, input: [side, side, 5], kernel: [3, 3], outChannels: 3 }),
      );
      assert.ok(call.scratchBytes > 0);
      const inputs = call.inputs.map((length, i) => noise(length, side + i));
      const others = tf.tensor1d(noise(5000, 9));
      const kept = others.dataSync().slice();
      const given = inputs.map((values) => tf.tensor1d(values));
      const [out] = withBuffers(tf.backend(), call, given, [[3, 3, 5, 3]]);
      assert.ok(relativeError(wasmBackend().readSync(out.dataId), referenceOf(call, inputs)[0]) <= 1e-5);
      assert.deepEqual(others.dataSync(), kept);
      wasmBackend().disposeData(out.dataId, true);
      tf.dispose([others, ...given]);
    }
  });

  it("another build after init runs on the same memory; the reference on copies", async () => {
    const debug = readFileSync(new URL("../../dist/wasm/train.debug.wasm", import.meta.url));
    await init({ module: debug, build: "debug" });
    assert.deepEqual([backend(), reachesMemory(tf.backend())], ["debug", true]);
    assert.deepEqual(normalize(wasmBackend()), expected);
    await init({ build: "reference" });
    assert.deepEqual([backend(), reachesMemory(tf.backend())], ["reference", false]);
    assert.deepEqual(normalize(wasmBackend()), expected);
    await init();
    assert.deepEqual(normalize(wasmBackend()), expected);
  });

  it("a kernel that throws leaves nothing behind, in place or on copies", () => {
    for (const target of [wasmBackend(), without("wasm.asm")]) {
      tf.tidy(() => {
        const inputs = arrays.map((values, i) => tf.tensor(values, shapes[i]));
        assert.throws(() => withBuffers(target, failing, inputs, shapes), { message: "kernel failed" });
      });
      assert.equal(wasmBackend().numDataIds(), ids);
    }
  });

  it("refuses other types and sizes in words", () => {
    const call = clipGradientCall(4, 0, 6);
    const [x, short, integers] = [tf.zeros([4]), tf.zeros([3]), tf.zeros([4], "int32")];
    const run = (inputs: tf.Tensor[], shape: number[]) => () => withBuffers(tf.backend(), call, inputs, [shape]);
    assert.throws(run([x, integers], [4]), {
      name: "TypeError",
      message: "withBuffers: expected input 1 to be float32, got int32",
    });
    assert.throws(run([short, x], [4]), {
      name: "RangeError",
      message: "withBuffers: expected input 0 to have 4 elements, got 3 in shape [3]",
    });
    assert.throws(run([x, x], [4, 2]), {
      name: "RangeError",
      message: "withBuffers: expected output 0 to have 4 elements, got 8 in shape [4, 2]",
    });
    tf.dispose([x, short, integers]);
  });

  it("cpu: on copies, the same bytes", async () => {
    await tf.setBackend("cpu");
    assert.equal(reachesMemory(tf.backend()), false);
    assert.deepEqual(normalize(wasmBackend()), expected);
    assert.equal(tf.memory().numTensors, tensors);
    await tf.setBackend("wasm");
  });
});
