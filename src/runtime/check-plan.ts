import { LAYER_BYTES, LAYER_WORDS } from "../wasm/layer-words.js";
import { stepExtent } from "./layer-step.js";
import { overlap } from "./place-tensors.js";
import type { PlacedTensor, Plan } from "./plan.js";

/** Bytes from `from` to before `to`. */
interface Span {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Proves that a plan's kernels touch nothing but their own: run by sessions of the debug build, and by tests.
 *
 *  - tensors, scratch, constants and words lie in the session's block, in parts that do not meet
 *  - tensors that are needed at one time do not meet, and every step falls into the lifetime of what it reads and writes
 *  - what each step reads and writes, from its words and extent, lies in the memory of its tensors; its scratch in the scratch
 *  - no step reads memory that it writes
 *
 * Errors: Error naming the step or the tensors.
 */
export function checkPlan(plan: Plan): void {
  const tensors = [...new Map([...plan.tensors.values()].map((tensor) => [tensor.name, tensor])).values()];
  const scratch = { what: "scratch", from: plan.tensorBytes, to: plan.tensorBytes + plan.scratchBytes };
  const constants = plan.constants.map(
    ({ address, data }, i): Span => ({ what: `constant ${i}`, from: address, to: address + data.byteLength }),
  );
  const layers = plan.steps.filter(({ kind }) => kind === "layer").length;
  const words = { what: "words", from: plan.wordsAddress, to: plan.wordsAddress + layers * LAYER_BYTES };
  const all = { what: "block", from: 0, to: plan.bytes };
  for (const tensor of tensors) expectInside(spanOf(tensor), { what: "tensors", from: 0, to: plan.tensorBytes });
  const parts = [scratch, ...constants, words].sort((a, b) => a.from - b.from || a.to - b.to);
  for (const [i, part] of parts.entries()) {
    expectInside(part, all);
    if (i > 0) expectApart(parts[i - 1], part);
  }
  for (const [i, a] of tensors.entries()) {
    for (const b of tensors.slice(i + 1)) if (overlap(a, b)) expectApart(spanOf(a), spanOf(b));
  }
  for (const step of plan.steps) {
    if (step.kind === "reference") continue;
    const { reads, reads2, writes } = stepExtent(step.step);
    const where = `${step.step.kernel} of "${step.step.node}"`;
    const span = (word: "x" | "x2" | "y" | "scratch", bytes: number): Span => {
      const from = step.words[LAYER_WORDS.indexOf(word)];
      return { what: `${where}: ${word}`, from, to: from + bytes };
    };
    const [read, read2, written] = [span("x", reads), span("x2", reads2), span("y", writes)];
    for (const [bytes, name] of [
      [read, step.step.x.tensor],
      [read2, step.step.x2?.tensor],
      [written, step.step.y.tensor],
    ] as const) {
      if (name === undefined) continue;
      const tensor = plan.tensors.get(name) as PlacedTensor;
      expectInside(bytes, spanOf(tensor));
      if (step.index < tensor.first || step.index > tensor.last) {
        throw new Error(
          `plan: expected ${where} from step ${tensor.first} to ${tensor.last} of "${tensor.name}", got step ${step.index}`,
        );
      }
    }
    if (reads > 0) expectApart(read, written);
    if (reads2 > 0) expectApart(read2, written);
    expectInside(span("scratch", step.step.scratchBytes), scratch);
  }
}

function spanOf({ name, address, bytes }: PlacedTensor): Span {
  return { what: `"${name}"`, from: address, to: address + bytes };
}

function expectInside(part: Span, whole: Span): void {
  if (part.from < whole.from || part.to > whole.to) {
    throw new Error(
      `plan: expected ${part.what} in ${whole.what} [${whole.from}, ${whole.to}), got [${part.from}, ${part.to})`,
    );
  }
}

function expectApart(a: Span, b: Span): void {
  if (a.from < b.to && b.from < a.to) {
    throw new Error(
      `plan: expected ${a.what} [${a.from}, ${a.to}) and ${b.what} [${b.from}, ${b.to}) apart, got an overlap`,
    );
  }
}
