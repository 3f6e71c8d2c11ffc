import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Peer } from "./comparison.js";
import { ELEMENTS, normalValues } from "./values.js";

interface BoundExports {
  narrow(x: number, out: number, n: number): void;
  widen(q: number, out: number, n: number): void;
  fill(out: number, n: number): void;
  divide(x: number, out: number, n: number, scale: number): void;
  combine(dy: number, x: number, out: number, n: number): void;
  read(x: number, out: number, n: number): void;
  noise(out: number, n: number, key: number): void;
}

/** A peer with one way of doing less. */
interface BoundPeer extends Peer {
  readonly run: () => void;
}

/** Kernels whose bounds are known. */
export type Bounded =
  | "quantize"
  | "dequantize"
  | "fakeQuantize"
  | "fakeQuantizeGradient"
  | "minMax"
  | "dorefaActivations"
  | "dorefaGradients";

let compiled: WebAssembly.Module | undefined;

/**
 * Peers that no kernel can beat, so that their ratios are below 1: loops of bench/assembly/bounds.ts over tensors of
 * `elements`, a multiple of 16, in a memory of their own.
 */
export function boundsOf(kernel: Bounded, elements: number): BoundPeer[] {
  compiled ??= compile();
  const memory = new WebAssembly.Memory({ initial: Math.ceil((12 * elements) / 65536) + 1 });
  const values = new Float32Array(memory.buffer);
  const pattern = normalValues(Math.min(elements, ELEMENTS));
  for (let at = 0; at + pattern.length <= values.length; at += pattern.length) values.set(pattern, at);
  const loops = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as BoundExports;
  const tensor = 4 * elements;
  const peer = (name: string, run: () => void): BoundPeer => ({ name: `bound: ${name}`, run });
  switch (kernel) {
    case "quantize":
      return [peer("load, narrow, store", () => loops.narrow(0, tensor, elements))];
    case "dequantize":
      return [
        peer("load, widen, store", () => loops.widen(0, elements, elements)),
        peer("store", () => loops.fill(elements, elements)),
      ];
    case "fakeQuantize":
      return [peer("load, divide, store", () => loops.divide(0, tensor, elements, Math.fround(6 / 255)))];
    case "fakeQuantizeGradient":
      return [peer("load twice, store", () => loops.combine(0, tensor, 2 * tensor, elements))];
    case "minMax":
      return [peer("load", () => loops.read(0, tensor, elements))];
    case "dorefaActivations":
      return [peer("load, divide, store", () => loops.divide(0, tensor, elements, Math.fround(1 / 3)))];
    case "dorefaGradients":
      return [
        peer("the noise alone", () => loops.noise(tensor, elements, 0x12345678)),
        peer("load, divide, store", () => loops.divide(0, tensor, elements, 4)),
      ];
  }
}

/** By the compiler and options of the kernels; away from asconfig.json, which asc would add to the call. */
function compile(): WebAssembly.Module {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const out = path("../build/bounds.wasm");
  mkdirSync(path("../build"), { recursive: true });
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--importMemory", "--initialMemory", "1"];
  const { status, stderr } = spawnSync(
    process.execPath,
    [path("../node_modules/assemblyscript/bin/asc.js"), "bounds.ts", "-o", out, ...options, "--enable", "simd"],
    { cwd: path("assembly"), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`bounds: expected asc to compile bench/assembly/bounds.ts, got ${stderr}`);
  return new WebAssembly.Module(readFileSync(out));
}
