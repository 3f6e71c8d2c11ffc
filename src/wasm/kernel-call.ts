import type { TrainExports } from "./exports.js";
import { liveArray } from "./live-array.js";
import { type Kernels, loadedKernels } from "./load.js";

/** Where the arrays of a call lie: byte offsets in the memory of the instance that runs it. */
interface CallPointers {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The call's words, 16-byte aligned. */
  readonly words: number;
  /** The call's scratch, 16-byte aligned. */
  readonly scratch: number;
}

/**
 * One call of a kernel over whole float32 arrays, without the place where they lie.
 *
 * The same call runs in the library's arena (runCall), on the memory of the tfjs wasm backend (src/tfjs/backend-memory.ts),
 * or as the reference where there are no kernels.
 */
export interface KernelCall {
  /** Number of float32 elements of each input and output. Outputs never overlap inputs. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** i32 parameters that the kernel reads through a pointer. */
  readonly words: Int32Array;
  readonly scratchBytes: number;
  /** Whether the kernel writes nothing before it has found its inputs good, so that it may write to a caller's output at once. */
  readonly direct?: boolean;
  run(exports: TrainExports, at: CallPointers): void;
  reference(inputs: readonly Float32Array[], outputs: readonly Float32Array[]): void;
}

/** A call that reads no words. */
export const NO_WORDS = new Int32Array(0);

/**
 * Runs a call over arrays of the lengths it asks for; returns the outputs: those given, which may be inputs, or fresh ones.
 *
 * Arrays in linear memory are read in place, and written in place by calls that are `direct`. Where kernels run, other outputs
 * are written after the call: none if it throws.
 */
export function runCall(
  call: KernelCall,
  inputs: readonly Float32Array[],
  outputs: readonly Float32Array[] = call.outputs.map((length) => new Float32Array(length)),
): Float32Array[] {
  const kernels = loadedKernels();
  if (kernels !== undefined) return runInArena(kernels, call, inputs, outputs);
  call.reference(inputs, outputs);
  return [...outputs];
}

function runInArena(
  { arena, exports }: Kernels,
  call: KernelCall,
  inputs: readonly Float32Array[],
  outputs: readonly Float32Array[],
): Float32Array[] {
  // Residents first: reserving may grow the memory, which detaches arrays over the old buffer; addresses stay.
  const residents = inputs.map((array) => (array.buffer === arena.buffer ? array.byteOffset : undefined));
  const targets = outputs.map((array) => liveArray(arena, array));
  // An output that is an input, too, is written afterwards: not every kernel works in place.
  const places = outputs.map((array) =>
    call.direct && array.buffer === arena.buffer && !residents.includes(array.byteOffset)
      ? array.byteOffset
      : undefined,
  );
  return arena.scope(() => {
    const at = {
      words: arena.reserve(call.words.byteLength),
      scratch: arena.reserve(call.scratchBytes),
      inputs: call.inputs.map((length, i) => residents[i] ?? arena.reserve(4 * length)),
      outputs: call.outputs.map((length, i) => places[i] ?? arena.reserve(4 * length)),
    };
    const { f32, i32 } = arena;
    i32.set(call.words, at.words >>> 2);
    for (const [i, array] of inputs.entries()) {
      if (residents[i] === undefined) f32.set(array, at.inputs[i] >>> 2);
    }
    call.run(exports, at);
    return targets.map((live, i) => {
      const target = live();
      if (places[i] !== undefined) return target;
      target.set(f32.subarray(at.outputs[i] >>> 2, (at.outputs[i] >>> 2) + target.length));
      return target;
    });
  });
}
