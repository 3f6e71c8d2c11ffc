import { instantiateSync } from "@assemblyscript/loader";
import { QuantError } from "../core/errors.js";
import { type DefaultBinary, defaultBinary } from "./binary.js";
import type { TrainExports } from "./exports.js";
import { Arena } from "./memory.js";

/** The implementation at work: a WebAssembly build, or the plain TypeScript definition. */
export type Build = "simd" | "relaxed" | "debug" | "reference";

/** Options of init. */
export interface InitOptions {
  /** A compiled WebAssembly.Module (also of another realm), or the bytes of one of the package's .wasm files. */
  readonly module?: object;
  /** Address of one of the package's .wasm files, to be fetched and compiled while it streams in. */
  readonly url?: string | { readonly href: string };
  /** The build that is expected; `reference` needs no WebAssembly. */
  readonly build?: Build;
}

/** One instance of the kernels and the memory it works in. */
export interface Kernels {
  readonly build: Build;
  readonly exports: TrainExports;
  readonly arena: Arena;
  /**
   * A second instance of the same kernels, on somebody else's WebAssembly.Memory; `constantsPtr` is the address of
   * CONSTANTS_BYTES bytes there that stay the instance's own, 16-byte aligned. Nothing else is written but what calls write.
   */
  instantiateOn(memory: object, constantsPtr: number): TrainExports;
}

const BUILDS: readonly Build[] = ["simd", "relaxed", "debug", "reference"];
// Constants block, 64 KiB blocks in and out, and channel tables fit without growing.
const INITIAL_PAGES = 16;
const CONSTANTS_PTR = 16;
/** Most that the block of constants takes, in any build. */
export const CONSTANTS_BYTES = 64;

// (module (func (result v128) (v128.const i64x2 0 0)))
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 22, 1, 20, 0, 253, 12, ...new Array<number>(16).fill(0), 11],
);

let current: Kernels | "reference" | undefined;

/**
 * Chooses and loads the implementation. Optional: the first call of any function loads the default synchronously.
 *
 * Without options the SIMD build carried by the package is used, or the reference implementation where the host has no
 * WebAssembly SIMD. Resident arrays made before a second init keep their values, but are copied like any other array.
 *
 * Errors: QuantError `unsupported-host` when the host forbids compiling WebAssembly or the file cannot be fetched,
 * `invalid-file` for a file that is not one of the package's builds; RangeError for an unknown build.
 *
 * @example
 * await init({ url: "https://example.com/bitpress/wasm/train.simd.wasm" });
 * backend(); // "simd"
 */
export async function init(options: InitOptions = {}): Promise<void> {
  const { module, url, build } = options;
  if (build !== undefined && !BUILDS.includes(build)) {
    throw new RangeError(`init: expected build to be one of ${BUILDS.join(", ")}, got ${String(build)}`);
  }
  if (module !== undefined && url !== undefined) throw new TypeError("init: expected module or url, got both");
  if (build === "reference") {
    current = "reference";
  } else if (module !== undefined) {
    current = start(module, build);
  } else if (url !== undefined) {
    current = start(await fetchModule(typeof url === "string" ? url : url.href), build);
  } else if (build === "debug" || build === "relaxed") {
    throw new QuantError(
      "unsupported",
      build === "debug"
        ? 'init: the debug build is not carried inline; pass { module } or { url } of "bitpress/wasm/train.debug.wasm"'
        : "init: this version has no relaxed build, because no kernel profits from it yet; leave build out",
      { build },
    );
  } else if (build === "simd") {
    current = startDefault(defaultBinary());
  } else {
    current = loadDefault();
  }
}

/** The implementation at work. Loads the default one when none is loaded yet. */
export function backend(): Build {
  const kernels = loadedKernels();
  return kernels === undefined ? "reference" : kernels.build;
}

/** The loaded kernels, or undefined when the reference implementation is at work. */
export function loadedKernels(): Kernels | undefined {
  current ??= loadDefault();
  return current === "reference" ? undefined : current;
}

function loadDefault(): Kernels | "reference" {
  const binary = defaultBinary();
  if ("bytes" in binary && !hasSimd()) return "reference";
  return startDefault(binary);
}

function startDefault(binary: DefaultBinary): Kernels {
  return start("bytes" in binary ? binary.bytes : binary.module, undefined);
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

async function fetchModule(url: string): Promise<WebAssembly.Module> {
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

function start(source: object, expected: Build | undefined): Kernels {
  const module = compile(source);
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
  const exports = instantiate(module, memory);
  const build = buildOf(exports);
  if (build === undefined || (expected !== undefined && build !== expected)) {
    throw new QuantError(
      "invalid-file",
      `init: expected ${expected === undefined ? "one of the package's builds" : `the ${expected} build`}, got ${build ?? "another module"}`,
      { expected, build },
    );
  }
  const arena = new Arena(memory, CONSTANTS_PTR + exports.initConstants(CONSTANTS_PTR));
  return {
    build,
    exports,
    arena,
    instantiateOn(other, constantsPtr) {
      const second = instantiate(module, other as WebAssembly.Memory);
      second.initConstants(constantsPtr);
      return second;
    },
  };
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): TrainExports {
  const imports = { env: { memory } };
  try {
    // The loader tells modules by `instanceof`. `.instance.exports`: its wrapped exports cost 2–3 ns a call in some engines.
    const instance =
      module instanceof WebAssembly.Module
        ? instantiateSync(module, imports).instance
        : new WebAssembly.Instance(module, imports);
    return instance.exports as unknown as TrainExports;
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

function buildOf(exports: TrainExports): Build | undefined {
  const features = typeof exports.features === "function" ? exports.features() : 0;
  if (features & 4) return "debug";
  if (features & 2) return "relaxed";
  return features & 1 ? "simd" : undefined;
}
