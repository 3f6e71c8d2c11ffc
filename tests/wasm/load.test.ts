import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { backend, type InitOptions, init, quantize } from "../../src/index.js";

const bytesOf = (build: "simd" | "debug"): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../dist/wasm/train.${build}.wasm`, import.meta.url)));
const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Checks that the implementation at work computes. */
function works(): void {
  const params = { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 };
  assert.deepEqual(quantize(Float32Array.of(-1, 0.5, 2), params), Int8Array.of(-2, 1, 3));
}

/** The error that starting these bytes on the library's imports gives in this engine, as text. */
function startFailure(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: new WebAssembly.Memory({ initial: 1 }) },
    });
  } catch (error) {
    return String(error);
  }
  return "none";
}

/** Runs code in a process of its own, with the source tree's functions; returns what it prints. */
function inChild(code: string): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", code],
    { cwd: root, encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

describe("loading on first use", () => {
  it("takes the SIMD build, synchronously", () => {
    works();
    assert.equal(backend(), "simd");
  });

  it("takes the reference where the engine has no SIMD, or no WebAssembly at all", () => {
    const report = `
      const q = quantize(Float32Array.of(-1, 0.5, 2), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 });
      const first = backend();
      await init();
      console.log(first, backend(), q.join());`;
    // Not before the import: the loader of the sources needs WebAssembly itself.
    const load = 'const { backend, quantize, init } = await import("./src/index.ts");';
    const expected = "reference reference -2,1,3";
    assert.equal(inChild(`${load} WebAssembly.validate = () => false; ${report}`), expected);
    assert.equal(inChild(`${load} delete globalThis.WebAssembly; ${report}`), expected);
  });

  it("the probe is a module of one function with a vector constant", () => {
    const code = `
      const { validate } = WebAssembly;
      WebAssembly.validate = (bytes) => { console.log(Buffer.from(bytes).toString("hex"), validate(bytes)); return true; };
      const { backend } = await import("./src/index.ts");
      console.log(backend());`;
    const [probe, build] = inChild(code).split("\n");
    const [hex, valid] = probe.split(" ");
    assert.deepEqual([valid, build], ["true", "simd"]);
    // Opcode 0xfd 12 is v128.const; without SIMD an engine refuses it.
    assert.ok(hex.includes(`fd0c${"00".repeat(16)}`));
  });
});

describe("init", () => {
  beforeEach(() => init({ build: "simd" }));
  afterEach(() => mock.restoreAll());

  it("chooses the build", async () => {
    for (const build of ["reference", "simd"] as const) {
      await init({ build });
      assert.equal(backend(), build);
      works();
    }
    await init({ build: "reference" });
    await init();
    assert.equal(backend(), "simd");
  });

  it("takes bytes, a view of bytes, or a module", async () => {
    const bytes = bytesOf("debug");
    const padded = new Uint8Array(bytes.length + 6);
    padded.set(bytes, 3);
    const sources = [bytes, bytes.buffer, padded.subarray(3, 3 + bytes.length), new WebAssembly.Module(bytes)];
    for (const module of sources) {
      await init();
      await init({ module });
      assert.equal(backend(), "debug");
      works();
    }
    await init({ module: bytesOf("simd"), build: "simd" });
    assert.equal(backend(), "simd");
  });

  it("takes a module of another realm", async () => {
    const module = runInNewContext("new WebAssembly.Module(bytes)", { bytes: bytesOf("debug") });
    assert.equal(module instanceof WebAssembly.Module, false);
    await init({ module });
    assert.equal(backend(), "debug");
    works();
  });

  it("fetches a url, whatever its MIME type", async () => {
    const base64 = Buffer.from(bytesOf("debug")).toString("base64");
    for (const type of ["application/wasm", "text/plain"]) {
      await init();
      await init({ url: new URL(`data:${type};base64,${base64}`) });
      assert.equal(backend(), "debug");
      works();
    }
  });

  const notBytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const truncated = bytesOf("simd").subarray(0, 1000);
  // (module (import "x" "y" (func)))
  const foreign = Uint8Array.of(...EMPTY_MODULE, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 120, 1, 121, 0, 0);
  const refusals: [string, InitOptions, { name: string; code?: string; message: string }][] = [
    [
      "an unknown build",
      { build: "fast" as "simd" },
      { name: "RangeError", message: "init: expected build to be one of simd, relaxed, debug, reference, got fast" },
    ],
    [
      "module and url",
      { module: EMPTY_MODULE, url: "x" },
      { name: "TypeError", message: "init: expected module or url, got both" },
    ],
    [
      "the debug build without its file",
      { build: "debug" },
      {
        name: "QuantError",
        code: "unsupported",
        message:
          'init: the debug build is not carried inline; pass { module } or { url } of "bitpress/wasm/train.debug.wasm"',
      },
    ],
    [
      "the relaxed build",
      { build: "relaxed" },
      {
        name: "QuantError",
        code: "unsupported",
        message: "init: this version has no relaxed build, because no kernel profits from it yet; leave build out",
      },
    ],
    [
      "something that is no module",
      { module: { wasm: true } },
      {
        name: "TypeError",
        message: "init: expected module to be a WebAssembly.Module or bytes, got [object Object]",
      },
    ],
    [
      "null",
      { module: null as unknown as object },
      { name: "TypeError", message: "init: expected module to be a WebAssembly.Module or bytes, got [object Null]" },
    ],
    [
      "bytes that are no wasm",
      { module: notBytes },
      {
        name: "QuantError",
        code: "invalid-file",
        message: `init: expected the bytes of a bitpress .wasm file, got ${startFailure(notBytes)}`,
      },
    ],
    [
      "a truncated file",
      { module: truncated },
      {
        name: "QuantError",
        code: "invalid-file",
        message: `init: expected the bytes of a bitpress .wasm file, got ${startFailure(truncated)}`,
      },
    ],
    [
      "another module",
      { module: EMPTY_MODULE },
      {
        name: "QuantError",
        code: "invalid-file",
        message: "init: expected one of the package's builds, got another module",
      },
    ],
    [
      "another module where a build is expected",
      { module: EMPTY_MODULE, build: "debug" },
      { name: "QuantError", code: "invalid-file", message: "init: expected the debug build, got another module" },
    ],
    [
      "a module that needs other imports",
      { module: foreign },
      {
        name: "QuantError",
        code: "invalid-file",
        message: `init: expected one of the package's builds, got a module that does not start: ${startFailure(foreign)}`,
      },
    ],
    [
      "another build than expected",
      { module: bytesOf("simd"), build: "debug" },
      { name: "QuantError", code: "invalid-file", message: "init: expected the debug build, got simd" },
    ],
  ];
  for (const [name, options, error] of refusals) {
    it(`refuses ${name}, and what was loaded stays`, async () => {
      await init({ module: bytesOf("debug") });
      await assert.rejects(init(options), error);
      assert.equal(backend(), "debug");
      works();
    });
  }

  it("refuses a url that does not answer, or answers with another status", async () => {
    mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("fetch failed")));
    await assert.rejects(init({ url: "https://example.com/a.wasm" }), {
      name: "QuantError",
      code: "unsupported-host",
      message: "init: could not fetch https://example.com/a.wasm: TypeError: fetch failed; pass { module } instead",
    });
    mock.restoreAll();
    mock.method(globalThis, "fetch", () => Promise.resolve(new Response("no", { status: 404 })));
    await assert.rejects(init({ url: "https://example.com/a.wasm" }), {
      name: "QuantError",
      code: "unsupported-host",
      message: "init: expected https://example.com/a.wasm to answer 200, got 404",
      details: { url: "https://example.com/a.wasm", status: 404 },
    });
  });
});

describe("hosts that forbid compiling", () => {
  const { Module } = WebAssembly;
  afterEach(() => {
    WebAssembly.Module = Module;
  });

  /** Makes compiling fail with an engine's own message. */
  function forbid(message: string): void {
    WebAssembly.Module = class {
      constructor() {
        throw new WebAssembly.CompileError(message);
      }
    } as unknown as typeof WebAssembly.Module;
  }

  const policies = {
    Chromium:
      "WebAssembly.Module(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"",
    Firefox: "call to WebAssembly.Module() blocked by CSP",
    WebKit: "Refused to create a WebAssembly object because 'unsafe-eval' is not an allowed source of script",
  };
  for (const [engine, reason] of Object.entries(policies)) {
    it(`${engine}: the error names the missing Content-Security-Policy directive`, async () => {
      forbid(reason);
      await assert.rejects(init({ build: "simd" }), {
        name: "QuantError",
        code: "unsupported-host",
        message: `init: this page's Content-Security-Policy forbids compiling WebAssembly; add 'wasm-unsafe-eval' to its script-src directive, or call init({ build: "reference" }) for the slower JavaScript (CompileError: ${reason})`,
      });
    });
  }

  it("workers: the error says how to pass a module", async () => {
    const reason = "WebAssembly.Module(): Wasm code generation disallowed by embedder";
    forbid(reason);
    await assert.rejects(init({ build: "simd" }), {
      name: "QuantError",
      code: "unsupported-host",
      message: `init: this host forbids compiling wasm from bytes; import the .wasm file and pass { module } (CompileError: ${reason})`,
    });
  });
});
