import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { binaryToText } from "../../src/wasm/binary-text.js";
import { root } from "./consumer.js";

const dist = join(root, "dist");
const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => extname(file) !== "");
const read = (file: string): string => readFileSync(join(dist, file), "utf8");

/** The modules that a built file imports or loads dynamically. */
function importsOf(code: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g;
  return Array.from(code.matchAll(pattern), ([, name]) => name);
}

/** An entry with all the chunks it can reach. */
function reachable(entry: string): string[] {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of importsOf(read(file))) {
      if (name.startsWith(".") && name.endsWith(".js")) visit(join(file, "..", name));
    }
  };
  visit(entry);
  return [...seen];
}

test("importsOf sees every form of import that esbuild writes", () => {
  const code = `import{a as b}from"./a.js";import"./b.js";import*as c from"c";export*from"./d.js";await import("node:e");`;
  assert.deepEqual(importsOf(code), ["./a.js", "./b.js", "c", "./d.js", "node:e"]);
});

test("no bare import but the tfjs peer, and node: only in the command line tool", () => {
  for (const file of files.filter((file) => file.endsWith(".js"))) {
    const bare = importsOf(read(file)).filter((name) => !name.startsWith("."));
    const allowed = (name: string): boolean => name === "@tensorflow/tfjs" || name.startsWith("node:");
    assert.deepEqual(
      bare.filter((name) => !allowed(name)),
      [],
      file,
    );
  }
  for (const condition of ["", "workerd/", "edge-light/"]) {
    for (const entry of ["index.js", "runtime.js", "tfjs.js"]) {
      for (const file of reachable(condition + entry)) {
        const names = importsOf(read(file)).filter((name) => name.startsWith("node:"));
        assert.deepEqual(names, [], file);
      }
    }
    const withTensorflow = reachable(`${condition}index.js`).filter((file) =>
      importsOf(read(file)).includes("@tensorflow/tfjs"),
    );
    assert.deepEqual(withTensorflow, [], `${condition}index.js must work without tfjs`);
  }
});

test("bitpress and bitpress/tfjs share one error class", async () => {
  const { QuantError } = await import("bitpress");
  const { toArtifacts } = await import("bitpress/tfjs");
  const tf = await import("@tensorflow/tfjs");
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  await assert.rejects(toArtifacts(model), (error) => error instanceof QuantError);
});

test("bitpress/runtime carries the binary of the integer layers alone", () => {
  const head = (name: string): string =>
    binaryToText(readFileSync(join(dist, `wasm/${name}.simd.wasm`)).subarray(0, 300));
  const carriers = (entry: string, name: string): number =>
    reachable(entry).filter((file) => read(file).includes(head(name))).length;
  assert.deepEqual([carriers("index.js", "train"), carriers("index.js", "infer")], [1, 1]);
  assert.deepEqual([carriers("runtime.js", "train"), carriers("runtime.js", "infer")], [0, 1]);
});

test("bitpress/runtime leaves out what sessions on wasm can do without", () => {
  const without = /runtime\/(reference-engine|reference-step|check-plan)\.ts$|write-tflite\.ts$|node_modules\//;
  const found = (entry: string): string[] =>
    reachable(entry)
      .flatMap((file): string[] => JSON.parse(read(`${file}.map`)).sources)
      .filter((source) => without.test(source));
  assert.deepEqual(found("runtime.js"), []);
  assert.deepEqual(found("bitpress.runtime.global.js"), []);
  assert.notDeepEqual(found("index.js"), []);
});

test("the types name nothing that only browsers or Node.js declare", () => {
  const forbidden = /\b(WebAssembly|BufferSource|Response|URL|Blob|ReadableStream|Buffer|NodeJS)\b/;
  for (const file of files.filter((file) => file.endsWith(".d.ts"))) {
    const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, forbidden, file);
    for (const name of importsOf(code)) {
      assert.match(name, /^(\.{1,2}\/.*\.js|@tensorflow\/tfjs)$/, `${file} imports ${name}`);
    }
  }
});

test("every file of dist stands in its README", () => {
  const readme = read("README.md");
  const covered = (file: string): boolean =>
    readme.includes(`\`${file}\``) || /^(README\.md$|types\/|(workerd\/|edge-light\/)?chunks\/)/.test(file);
  assert.deepEqual(
    files.filter((file) => !file.endsWith(".map") && !covered(file)),
    [],
  );
});

test("sizes", (t) => {
  const size = (entries: string[]): string => {
    const bytes = entries.map((file) => readFileSync(join(dist, file)));
    const raw = bytes.reduce((sum, { length }) => sum + length, 0);
    const gzip = bytes.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
    return `${(raw / 1000).toFixed(1)} kB, ${(gzip / 1000).toFixed(1)} kB gzip`;
  };
  t.diagnostic(`bitpress.global.js: ${size(["bitpress.global.js"])}`);
  t.diagnostic(`bitpress.runtime.global.js: ${size(["bitpress.runtime.global.js"])}`);
  t.diagnostic(`index.js and its chunks: ${size(reachable("index.js"))}`);
  t.diagnostic(`runtime.js and its chunks: ${size(reachable("runtime.js"))}`);
  t.diagnostic(`tfjs.js and its chunks: ${size(reachable("tfjs.js"))}`);
  const wasm = files.filter((file) => file.endsWith(".simd.wasm"));
  t.diagnostic(`all wasm of the simd build: ${size(wasm)}`);

  const gzipped = gzipSync(readFileSync(join(dist, "bitpress.global.js")), { level: 9 }).length;
  // The aim was 60 kB. Where the bytes are: docs/architecture.md, "Sizes".
  assert.ok(gzipped < 132_000, `bitpress.global.js: expected < 132000 bytes in gzip, got $gzipped`);
  const runtime = reachable("runtime.js").map((file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length);
  const runtimeBytes = runtime.reduce((sum, bytes) => sum + bytes, 0);
  // The aim is 30 kB, of which the binary takes 6: docs/architecture.md, "Sizes".
  assert.ok(runtimeBytes < 37_000, `runtime.js and its chunks: expected < 37000 bytes in gzip, got $runtimeBytes`);
  const runtimeTag = gzipSync(readFileSync(join(dist, "bitpress.runtime.global.js")), { level: 9 }).length;
  assert.ok(runtimeTag < 36_000, `bitpress.runtime.global.js: expected < 36000 bytes in gzip, got $runtimeTag`);
  const binaries = wasm.map((file) => readFileSync(join(dist, file)).length).reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(binaries < 40_000, `simd build: expected < 40000 bytes, got $binaries`);
});
