import type { Operand } from "./op-plan.js";

/** One loop of a walk over several tensors at once: how often, and how many bytes each of them moves on. */
export interface StridedLoop {
  readonly size: number;
  readonly steps: readonly number[];
}

/** Bytes from one index to the next along each axis. */
export function axisSteps({ shape, layout }: Operand): number[] {
  if (shape.length === 4) return [layout.imageBytes, layout.rowBytes, layout.pixelBytes, layout.elementBytes];
  const steps: number[] = [];
  let step = layout.elementBytes;
  for (const size of [...shape].reverse()) {
    steps.unshift(step);
    step *= size;
  }
  return steps;
}

/** The same walk in as few loops as possible, outermost first: loops of one round go, neighbours without a gap are one. */
export function mergeLoops(loops: readonly StridedLoop[]): StridedLoop[] {
  const merged: StridedLoop[] = [];
  for (const loop of loops) {
    if (loop.size === 1) continue;
    const outer = merged.at(-1);
    if (outer?.steps.every((step, i) => step === loop.size * loop.steps[i])) {
      merged[merged.length - 1] = { size: outer.size * loop.size, steps: loop.steps };
    } else {
      merged.push(loop);
    }
  }
  return merged;
}

/** A walk as `depth` loops, ones of one round put before it, for every combination of its other, outer loops: their offsets. */
export function innermostLoops(
  loops: readonly StridedLoop[],
  depth: number,
  tensors: number,
): { readonly loops: StridedLoop[]; readonly offsets: number[][] } {
  const still = { size: 1, steps: new Array<number>(tensors).fill(0) };
  const missing = Math.max(0, depth - loops.length);
  const outer = loops.slice(0, loops.length + missing - depth);
  let offsets = [still.steps];
  for (const { size, steps } of outer) {
    offsets = offsets.flatMap((from) =>
      Array.from({ length: size }, (_, i) => from.map((offset, tensor) => offset + i * steps[tensor])),
    );
  }
  return { loops: [...new Array<StridedLoop>(missing).fill(still), ...loops.slice(outer.length)], offsets };
}
