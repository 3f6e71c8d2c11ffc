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
}

/** Peers that no kernel can beat: loops of bench/assembly/bounds.ts in a memory of their own. Their ratios are below 1. */
export interface Bounds {
  readonly quantize: readonly Peer[];
  readonly dequantize: readonly Peer[];
  readonly fakeQuantize: readonly Peer[];
  readonly gradient: readonly Peer[];
  readonly minMax: readonly Peer[];
}

let compiled: WebAssembly.Module | undefined;

/** Bounds over tensors of `elements`, a multiple of 16. */
export function boundsFor(elements: number): Bounds {
  compiled ??= compile();
  const memory = new WebAssembly.Memory({ initial: Math.ceil((12 * elements) / 65536) + 1 });
  const values = new Float32Array(memory.buffer);
  const pattern = normalValues(Math.min(elements, ELEMENTS));
  for (let at = 0; at + pattern.length <= values.length; at += pattern.length) values.set(pattern, at);
  const loops = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as BoundExports;
  const peer = (name: string, run: () => void): Peer => ({ name: `bound: ${name}`, run });
  const tensor = 4 * elements;
  return {
    quantize: [peer("load, narrow, store", () => loops.narrow(0, tensor, elements))],
    dequantize: [
      peer("load, widen, store", () => loops.widen(0, elements, elements)),
      peer("store", () => loops.fill(elements, elements)),
    ],
    fakeQuantize: [peer("load, divide, store", () => loops.divide(0, tensor, elements, Math.fround(6 / 255)))],
    gradient: [peer("load twice, store", () => loops.combine(0, tensor, 2 * tensor, elements))],
    minMax: [peer("load", () => loops.read(0, tensor, elements))],
  };
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
