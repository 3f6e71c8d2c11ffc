import type * as tf from "@tensorflow/tfjs";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { TrainExports } from "../wasm/exports.js";
import { type KernelCall, runCall } from "../wasm/kernel-call.js";
import { CONSTANTS_BYTES, type Kernels, loadedKernels } from "../wasm/load.js";

// How kernels meet the tensors of a tfjs backend.
//
// * The wasm backend keeps its tensors in a WebAssembly.Memory of its own. Where that memory can be reached, the kernels are
//   instantiated a second time, on it, and read and write tensors where they lie. Their constants and scratch come from the
//   backend's own malloc; nothing of tfjs is written but the outputs that it allocated for us.
// * tfjs 4.22 offers no API for this, so each piece is looked for, and where one is missing, or the memory is shared between
//   threads, the tensors are read out, computed in the library's arena, and written back. So it is on any other backend.
// * The memory grows whenever tfjs allocates. Addresses stay, views over the buffer do not: every run takes new ones, after
//   the last allocation.

/** Backend methods that copying needs; every tfjs backend has them. */
interface CopyingBackend {
  readSync(dataId: object): Float32Array;
  write(values: Float32Array, shape: number[], dtype: "float32"): object;
}

/** The wasm backend's memory, as far as it could be found. */
interface WasmHeap {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(ptr: number): void;
  /** Address of a tensor; undefined when it has none. */
  offsetOf(dataId: object): number | undefined;
  makeOutput(shape: number[]): tf.TensorInfo;
  dispose(output: tf.TensorInfo): void;
}

/** The kernels on one backend's memory. */
interface Tenant {
  readonly kernels: Kernels;
  readonly exports: TrainExports;
  readonly heap: WasmHeap;
  readonly constantsPtr: number;
  scratchPtr: number;
  scratchBytes: number;
}

const ALIGNMENT = 16;
/** Heaps found so far; undefined where tensors have to be copied. */
const heaps = new WeakMap<object, WasmHeap | undefined>();
const tenants = new WeakMap<object, Tenant>();

/**
 * Runs a kernel over tensors of a tfjs backend: without a copy on the wasm backend, where its memory can be reached.
 *
 * For use in a registered kernel's kernelFunc: the outputs are tensor infos that belong to the caller.
 *
 * @param backend as kernelFunc gets it
 * @param call the kernel and its parameters
 * @param inputs float32 tensors, as many elements each as the call asks for
 * @param shapes of the outputs
 *
 * Errors: TypeError for an input that is not float32, RangeError for sizes that are not the call's, before any work starts;
 * whatever the call throws, and then no output is left behind.
 */
export function withBuffers(
  backend: unknown,
  call: KernelCall,
  inputs: readonly tf.TensorInfo[],
  shapes: readonly Shape[],
): tf.TensorInfo[] {
  checkTensors(call, inputs, shapes);
  const tenant = tenantOf(backend as object);
  const offsets = tenant === undefined ? [] : inputs.map(({ dataId }) => tenant.heap.offsetOf(dataId));
  if (tenant !== undefined && offsets.every((offset) => offset !== undefined)) {
    const outputs = runInPlace(tenant, call, offsets as number[], shapes);
    if (outputs !== undefined) return outputs;
  }
  return runOnCopies(backend as CopyingBackend, call, inputs, shapes);
}

/** Whether kernels reach the tensors of this backend without copying them. */
export function reachesMemory(backend: unknown): boolean {
  return tenantOf(backend as object) !== undefined;
}

function checkTensors(call: KernelCall, inputs: readonly tf.TensorInfo[], shapes: readonly Shape[]): void {
  const where = "withBuffers";
  for (const [i, { shape, dtype }] of inputs.entries()) {
    if (dtype !== "float32") throw new TypeError(`${where}: expected input ${i} to be float32, got ${dtype}`);
    checkSize(`${where}: expected input ${i}`, shape, call.inputs[i]);
  }
  for (const [i, shape] of shapes.entries()) checkSize(`${where}: expected output ${i}`, shape, call.outputs[i]);
}

function checkSize(expected: string, shape: Shape, size: number): void {
  if (sizeOf(shape) !== size) {
    throw new RangeError(`${expected} to have ${size} elements, got ${sizeOf(shape)} in shape ${formatShape(shape)}`);
  }
}

function runOnCopies(
  backend: CopyingBackend,
  call: KernelCall,
  inputs: readonly tf.TensorInfo[],
  shapes: readonly Shape[],
): tf.TensorInfo[] {
  const outputs = runCall(
    call,
    inputs.map(({ dataId }) => backend.readSync(dataId)),
  );
  return outputs.map((values, i) => {
    const shape = [...shapes[i]];
    return { dataId: backend.write(values, shape, "float32"), shape, dtype: "float32" };
  });
}

/** Undefined when the heap gives no more scratch. */
function runInPlace(
  tenant: Tenant,
  call: KernelCall,
  inputs: readonly number[],
  shapes: readonly Shape[],
): tf.TensorInfo[] | undefined {
  const { heap, exports } = tenant;
  const wordsBytes = align(call.words.byteLength);
  const words = scratchOf(tenant, wordsBytes + call.scratchBytes);
  if (words === undefined) return undefined;
  const outputs: tf.TensorInfo[] = [];
  try {
    for (const shape of shapes) outputs.push(heap.makeOutput([...shape]));
    new Int32Array(heap.memory.buffer, words, call.words.length).set(call.words);
    call.run(exports, {
      inputs,
      outputs: outputs.map(({ dataId }) => heap.offsetOf(dataId) as number),
      words,
      scratch: words + wordsBytes,
    });
    return outputs;
  } catch (error) {
    for (const output of outputs) heap.dispose(output);
    throw error;
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Address of at least `bytes` bytes of the tenant's own, aligned. */
function scratchOf(tenant: Tenant, bytes: number): number | undefined {
  if (bytes > tenant.scratchBytes) {
    tenant.heap.free(tenant.scratchPtr);
    // Some more than asked for, so that a series of larger and larger calls allocates rarely.
    tenant.scratchBytes = Math.max(bytes, align(tenant.scratchBytes * 1.5));
    tenant.scratchPtr = tenant.heap.malloc(tenant.scratchBytes + ALIGNMENT);
    if (tenant.scratchPtr === 0) {
      tenant.scratchBytes = 0;
      return undefined;
    }
  }
  return align(tenant.scratchPtr);
}

function tenantOf(backend: object): Tenant | undefined {
  const kernels = loadedKernels();
  if (kernels === undefined) return undefined;
  const known = tenants.get(backend);
  if (known?.kernels === kernels) return known;
  if (!heaps.has(backend)) heaps.set(backend, findHeap(backend));
  const heap = heaps.get(backend);
  if (heap === undefined) return undefined;
  // Another build after a second init takes over the blocks of the one before.
  const constantsPtr = known?.constantsPtr ?? heap.malloc(CONSTANTS_BYTES + ALIGNMENT);
  if (constantsPtr === 0) return undefined;
  const exports = kernels.instantiateOn(heap.memory, align(constantsPtr));
  const { scratchPtr, scratchBytes } = known ?? { scratchPtr: 0, scratchBytes: 0 };
  const tenant = { kernels, exports, heap, constantsPtr, scratchPtr, scratchBytes };
  tenants.set(backend, tenant);
  return tenant;
}

/** What is looked for in a backend, all of it private to tfjs. */
interface PrivateBackend {
  readonly wasm?: {
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    readonly HEAPU8?: Uint8Array;
    _malloc?(bytes: number): number;
    _free?(ptr: number): void;
  };
  readonly dataIdMap?: { get?(dataId: object): { readonly memoryOffset?: number | null } | undefined };
  makeOutput?(shape: number[], dtype: "float32"): tf.TensorInfo;
  disposeData?(dataId: object, force: boolean): unknown;
}

/** The memory of the tfjs wasm backend with one thread; undefined when a piece is missing or not what 4.22 has there. */
function findHeap(backend: object): WasmHeap | undefined {
  const { wasm, dataIdMap } = backend as PrivateBackend;
  const memory = wasm?.asm?.memory;
  const owner = backend as Required<PrivateBackend>;
  const complete =
    memory !== undefined &&
    // Not `instanceof`: a memory of another realm is a memory all the same. A shared one has a SharedArrayBuffer.
    Object.prototype.toString.call(memory) === "[object WebAssembly.Memory]" &&
    Object.prototype.toString.call(memory.buffer) === "[object ArrayBuffer]" &&
    wasm?.HEAPU8?.buffer === memory.buffer &&
    typeof wasm._malloc === "function" &&
    typeof wasm._free === "function" &&
    typeof dataIdMap?.get === "function" &&
    typeof owner.makeOutput === "function" &&
    typeof owner.disposeData === "function";
  if (!complete) return undefined;
  const heap = wasm as Required<NonNullable<PrivateBackend["wasm"]>>;
  return {
    memory,
    // Unsigned: emscripten's malloc gives addresses above 2 GiB as negative numbers.
    malloc: (bytes) => heap._malloc(bytes) >>> 0,
    free: (ptr) => heap._free(ptr),
    offsetOf: (dataId) => owner.dataIdMap.get?.(dataId)?.memoryOffset ?? undefined,
    makeOutput: (shape) => owner.makeOutput(shape, "float32"),
    dispose: ({ dataId }) => owner.disposeData(dataId, true),
  };
}
