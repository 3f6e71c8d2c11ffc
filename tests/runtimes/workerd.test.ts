import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { binaryToText } from "../../src/wasm/binary-text.js";
import { type Consumer, makeConsumer } from "../packaging/consumer.js";
import { bundle } from "./bundle.js";
import { expectedReport, expectedRuntimeReport, skipUnless } from "./expected-report.js";
import { workerdProgram } from "./hosts.js";

const WASM_FILES = ["train", "infer"].flatMap((entry) => [`${entry}.simd.wasm`, `${entry}.debug.wasm`]);

// Which JavaScript the worker gets and which files come as compiled modules.
const config = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
${WASM_FILES.map((name) => `    (name = "${name}", wasm = embed "${name}"),`).join("\n")}
  ],
  compatibilityDate = "2026-01-01",
))]);
`;

let consumer: Consumer;
let worker: string;
before(async () => {
  consumer = makeConsumer();
  worker = await bundle("worker.ts", "workerd", consumer);
});
after(() => consumer.remove());

/** The magic number and version of every binary, "\0asm" and 1, as bundles carry them. */
const INLINE_WASM = binaryToText(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));

test("the workerd bundle carries no wasm, the default one does", async () => {
  assert.ok(!worker.includes(INLINE_WASM));
  assert.ok((await bundle("console.ts", "default", consumer)).includes(INLINE_WASM));
});

const program = workerdProgram();
test("workerd: modules by import, bytes never compiled", { skip: skipUnless(program) }, async () => {
  assert.ok("path" in program);
  writeFileSync(join(consumer.dir, "worker.js"), worker);
  writeFileSync(join(consumer.dir, "config.capnp"), config);
  for (const name of WASM_FILES) {
    copyFileSync(join(consumer.packageDir, "dist/wasm", name), join(consumer.dir, name));
  }
  const { stdout } = await promisify(execFile)(program.path, ["test", "config.capnp"], {
    cwd: consumer.dir,
    timeout: 120_000,
  });
  const reason = "CompileError: WebAssembly.Module(): Wasm code generation disallowed by embedder";
  assert.deepEqual(JSON.parse(stdout), {
    simd: expectedReport("simd"),
    runtime: expectedRuntimeReport("simd"),
    debug: expectedReport("debug"),
    runtimeDebug: expectedRuntimeReport("debug"),
    forbidden: {
      engine: reason,
      library: `unsupported-host: init: this host forbids compiling wasm from bytes; import the .wasm file and pass { module } (${reason})`,
    },
  });
});
