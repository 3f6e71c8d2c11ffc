import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { type Consumer, makeConsumer } from "../packaging/consumer.js";
import { bundle } from "./bundle.js";
import { expectedReport, expectedRuntimeReport } from "./expected-report.js";

let consumer: Consumer;
before(() => {
  consumer = makeConsumer();
});
after(() => consumer.remove());

test("edge-light: runs a module of another realm where compiling bytes is forbidden", async () => {
  const files = ["train.simd.wasm", "infer.simd.wasm"].map((name) => {
    const bytes = readFileSync(join(consumer.packageDir, "dist/wasm", name));
    return [name, new WebAssembly.Module(bytes)] as const;
  });
  const context = createContext(
    // Both are part of every edge runtime: the loader needs the first, files of .tflite the second, and nothing else beside the language.
    { TextDecoder, TextEncoder, wasmModules: Object.fromEntries(files) },
    { codeGeneration: { strings: false, wasm: false } },
  );
  runInContext(await bundle("edge.ts", "edge-light", consumer), context);
  assert.equal(runInContext('wasmModules["train.simd.wasm"] instanceof WebAssembly.Module', context), false);
  const report = runInContext("JSON.stringify(entry.smoke())", context);
  assert.deepEqual(JSON.parse(report), expectedReport("simd"));
  const runtime = runInContext("JSON.stringify(entry.smokeRuntime())", context);
  assert.deepEqual(JSON.parse(runtime), expectedRuntimeReport("simd"));

  const reason = "CompileError: WebAssembly.Module(): Wasm code generation disallowed by embedder";
  assert.deepEqual(JSON.parse(await runInContext("entry.forbiddenBytes().then(JSON.stringify)", context)), {
    engine: reason,
    library: `unsupported-host: init: this host forbids compiling wasm from bytes; import the .wasm file and pass { module } (${reason})`,
  });
});
