import { QuantError } from "../core/errors.js";
import type { DefaultBinary } from "./binary.js";
import { CONSTANTS_PTR, libraryMemory } from "./library-memory.js";
import type { Arena } from "./memory.js";

/** The implementation at work: a WebAssembly build, or the plain TypeScript definition. */
export type Build = "simd" | "relaxed" | "debug" | "reference";

/** What every binary of the library imports: its WebAssembly.Memory. */
export interface Imports {
  readonly env: { readonly memory: object };
}

/** A binary of the library: its kernels, where its default build comes from, and what is loaded of it. */
export interface KernelEntry<E extends BinaryExports> {
  readonly name: "train" | "infer";
  readonly defaultBinary: () => DefaultBinary;
  /** Starts a module and gives its exports: by itself, or by a loader. */
  readonly instantiate: (module: object, imports: Imports) => object;
  /** What is at work; undefined until something asks for it. */
  current: Kernels<E> | "reference" | undefined;
}

/** What every binary of the library exports. */
export interface BinaryExports {
  initConstants(ptr: number): number;
  features(): number;
}

/** One instance of the kernels and the memory it works in. */
export interface Kernels<E extends BinaryExports> {
  readonly build: Build;
  readonly exports: E;
  readonly arena: Arena;
  /**
   * A second instance of the same kernels, on somebody else's WebAssembly.Memory; `constantsPtr` is the address of
   * CONSTANTS_BYTES bytes there that stay the instance's own, 16-byte aligned. Nothing else is written but what calls write.
   */
  instantiateOn(memory: object, constantsPtr: number): E;
}

// (module (func (result v128) (v128.const i64x2 0 0)))
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 22, 1, 20, 0, 253, 12, ...new Array<number>(16).fill(0), 11],
);

/** The loaded kernels of an entry, or undefined when the reference implementation is at work. Loads the default when none is loaded. */
export function kernelsOf<E extends BinaryExports>(entry: KernelEntry<E>): Kernels<E> | undefined {
  entry.current ??= defaultKernels(entry);
  return entry.current === "reference" ? undefined : entry.current;
}

/** The default of an entry: its SIMD build, or the reference where the host has no WebAssembly SIMD. */
export function defaultKernels<E extends BinaryExports>(entry: KernelEntry<E>): Kernels<E> | "reference" {
  return "bytes" in entry.defaultBinary() && !hasSimd() ? "reference" : simdKernels(entry);
}

/** The SIMD build that the package carries. */
export function simdKernels<E extends BinaryExports>(entry: KernelEntry<E>): Kernels<E> {
  const binary = entry.defaultBinary();
  return startModule([entry], "bytes" in binary ? binary.bytes : binary.module, undefined).kernels;
}

function hasSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(SIMD_PROBE);
}

function isModule(source: object): boolean {
  // Not `instanceof`: a module of another realm (Next.js edge routes, Jest) is a module all the same.
  return Object.prototype.toString.call(source) === "[object WebAssembly.Module]";
}

function compile(source: object): WebAssembly.Module {
  if (isModule(source)) return source as WebAssembly.Module;
  if (!(source instanceof ArrayBuffer) && !ArrayBuffer.isView(source)) {
    throw new TypeError(
      `init: expected module to be a WebAssembly.Module or bytes, got ${Object.prototype.toString.call(source)}`,
    );
  }
  try {
    return new WebAssembly.Module(source as BufferSource);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw (
      forbiddenError(cause) ??
      new QuantError("invalid-file", `init: expected the bytes of a bitpress .wasm file, got ${reason}`, { reason })
    );
  }
}

/** The error for a host that forbids compiling; undefined when the engine had another reason. */
function forbiddenError(cause: unknown): QuantError | undefined {
  const reason = reasonOf(cause);
  if (/unsafe-eval|Content.Security.Policy|\bCSP\b/i.test(reason)) {
    return new QuantError(
      "unsupported-host",
      `init: this page's Content-Security-Policy forbids compiling WebAssembly; add 'wasm-unsafe-eval' to its script-src directive, or call init({ build: "reference" }) for the slower JavaScript (${reason})`,
      { reason },
    );
  }
  if (/disallowed|forbid|not allowed|blocked/i.test(reason)) {
    return new QuantError(
      "unsupported-host",
      `init: this host forbids compiling wasm from bytes; import the .wasm file and pass { module } (${reason})`,
      { reason },
    );
  }
  return undefined;
}

/** The engine's own words, on one line. */
function reasonOf(cause: unknown): string {
  return String(cause).replace(/\s+/g, " ");
}

/** Fetches and compiles a .wasm file. Errors: QuantError `unsupported-host`, as compile. */
export async function fetchModule(url: string): Promise<object> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new QuantError(
      "unsupported-host",
      `init: could not fetch ${url}: ${String(cause)}; pass { module } instead`,
      { url },
    );
  }
  if (!response.ok) {
    throw new QuantError("unsupported-host", `init: expected ${url} to answer 200, got ${response.status}`, {
      url,
      status: response.status,
    });
  }
  // Streaming needs the MIME type application/wasm; servers that send another one still work, only later.
  const copy = response.clone();
  try {
    return await WebAssembly.compileStreaming(response);
  } catch {
    return compile(await copy.arrayBuffer());
  }
}

/** Starts a module, or the bytes of one, in the library's memory, and tells whose it is. */
export function startModule<E extends BinaryExports>(
  entries: readonly KernelEntry<E>[],
  source: object,
  expected: Build | undefined,
): { readonly entry: KernelEntry<E>; readonly kernels: Kernels<E> } {
  const module = compile(source);
  const { memory, arena } = libraryMemory();
  const { instantiate } = entries[0];
  const exports = start<E>(instantiate, module, memory);
  const features = typeof exports.features === "function" ? exports.features() : 0;
  const build = buildOf(features);
  const name = features & 8 ? "infer" : "train";
  const entry = entries.find((candidate) => candidate.name === name);
  if (build === undefined || entry === undefined || (expected !== undefined && build !== expected)) {
    const found = build === undefined ? "another module" : entry === undefined ? `${name}.${build}.wasm` : build;
    const wanted = expected === undefined ? "one of the package's builds" : `the ${expected} build`;
    throw new QuantError("invalid-file", `init: expected ${wanted}, got ${found}`, { expected, build });
  }
  exports.initConstants(CONSTANTS_PTR[name]);
  const kernels: Kernels<E> = {
    build,
    exports,
    arena,
    instantiateOn(other, constantsPtr) {
      const second = start<E>(instantiate, module, other);
      second.initConstants(constantsPtr);
      return second;
    },
  };
  return { entry, kernels };
}

function start<E extends BinaryExports>(
  instantiate: KernelEntry<E>["instantiate"],
  module: WebAssembly.Module,
  memory: object,
): E {
  try {
    return instantiate(module, { env: { memory } }) as E;
  } catch (cause) {
    // WebKit compiles under a policy that forbids WebAssembly, and refuses here.
    throw (
      forbiddenError(cause) ??
      new QuantError(
        "invalid-file",
        `init: expected one of the package's builds, got a module that does not start: ${reasonOf(cause)}`,
      )
    );
  }
}

function buildOf(features: number): Build | undefined {
  if (features & 4) return "debug";
  if (features & 2) return "relaxed";
  return features & 1 ? "simd" : undefined;
}
