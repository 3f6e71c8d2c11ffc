import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { firstImages, mnist } from "../../examples/data/idx.js";
import { type Consumer, makeConsumer, root } from "../packaging/consumer.js";
import { bundle } from "./bundle.js";
import { skipUnless } from "./expected-report.js";
import { workerdProgram } from "./hosts.js";

const config = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "infer.simd.wasm", wasm = embed "infer.simd.wasm"),
      (name = "mnist-cnn-w8a8.tflite", data = embed "mnist-cnn-w8a8.tflite"),
    ],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

const program = workerdProgram();
const { images, labels, count } = firstImages(mnist("t10k"), 100);

/** Grey bytes of an image, as they were in the file. */
function pixels(n: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(images.subarray(n * 784, (n + 1) * 784), (value) => Math.round(value * 255));
}

describe("the example worker, in workerd", { skip: skipUnless(program) }, () => {
  let consumer: Consumer;
  let host: ChildProcess;
  let origin: string;
  before(async () => {
    assert.ok("path" in program);
    consumer = makeConsumer();
    writeFileSync(join(consumer.dir, "worker.js"), await bundle("worker-example.ts", "workerd", consumer));
    writeFileSync(join(consumer.dir, "config.capnp"), config);
    copyFileSync(join(consumer.packageDir, "dist/wasm/infer.simd.wasm"), join(consumer.dir, "infer.simd.wasm"));
    const model = "mnist-cnn-w8a8.tflite";
    copyFileSync(join(root, "examples/models", model), join(consumer.dir, model));
    host = spawn(program.path, ["serve", "config.capnp", "--control-fd=3"], {
      cwd: consumer.dir,
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    origin = `http://127.0.0.1:${await listeningPort(host)}`;
  });
  after(() => {
    host?.kill();
    consumer?.remove();
  });

  const post = async (body: BodyInit, type = "application/octet-stream"): Promise<Response> =>
    fetch(origin, { method: "POST", body, headers: { "content-type": type } });

  test("answers anything but pixels with what it expects", async () => {
    const get = await fetch(origin);
    assert.deepEqual([get.status, await get.text()], [405, "POST 784 grey pixels\n"]);
    for (const [body, type] of [
      ["short", "application/octet-stream"],
      ["[1, 2", "application/json"],
      [JSON.stringify({ length: 784 }), "application/json"],
      [JSON.stringify(new Array(784).fill("1")), "application/json"],
    ]) {
      const response = await post(body, type);
      assert.deepEqual(
        [response.status, await response.text()],
        [400, "expected 784 grey pixels\n"],
        body.slice(0, 20),
      );
    }
  });

  test("reads digits, without compiling a byte of WebAssembly", async (t) => {
    const times: number[] = [];
    let right = 0;
    for (let n = 0; n < count; n++) {
      const start = performance.now();
      const response = await post(pixels(n));
      const found = (await response.json()) as { class: number; probability: number };
      times.push(performance.now() - start);
      if (found.class === labels[n]) right++;
    }
    const [first, ...rest] = times;
    const usual = rest.sort((a, b) => a - b)[rest.length >> 1];
    t.diagnostic(
      `request that loads the model and runs it first: ${first.toFixed(1)} ms; the median of those after it: ${usual.toFixed(1)} ms`,
    );
    assert.equal(right, count);
    const compiled = async (): Promise<unknown> => (await fetch(`${origin}/compiled`)).json();
    assert.deepEqual(await compiled(), { backend: "simd", compiled: [] });
    const refused = await (await fetch(`${origin}/compile`)).text();
    assert.equal(refused, "CompileError: WebAssembly.Module(): Wasm code generation disallowed by embedder");
    assert.deepEqual(await compiled(), { backend: "simd", compiled: ["Module"] });
  });

  test("takes the same pixels as JSON", async () => {
    const [raw, json] = [await post(pixels(0)), await post(JSON.stringify(Array.from(pixels(0))), "application/json")];
    const answer = await raw.json();
    assert.deepEqual(await json.json(), answer);
    assert.equal((answer as { class: number }).class, labels[0]);
  });
});

/** The port that workerd chose, which it tells on its control channel. */
async function listeningPort(host: ChildProcess): Promise<number> {
  for await (const line of createInterface(host.stdio[3] as Readable)) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  throw new Error("workerd: expected it to listen, got its end");
}
