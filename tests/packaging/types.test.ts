import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Consumer, makeConsumer, root } from "./consumer.js";

const PLAIN = `
import { backend, type Build, init, quantize, type QuantParams, residentArray } from "bitpress";

const params: QuantParams = { scale: 0.5, zeroPoint: 0, qmin: -127, qmax: 127 };
const codes = quantize(Float32Array.of(1), params);
const length: number = codes.length;
const x: Float32Array = residentArray("float32", length).array;
const build: Build = backend();
const ready: Promise<void> = init({ url: { href: "https://example.com/train.simd.wasm" }, build });
export { ready, x };
`;

const TENSORFLOW = `
import * as tf from "@tensorflow/tfjs";
import { NaiveQuantizer } from "bitpress/tfjs";

const model: tf.Sequential = tf.sequential();
const small: tf.Sequential = new NaiveQuantizer({ bits: 8 }).compress(model);
export { small };
`;

/** What a project without any types of its host gives the compiler, and the compiler's strictest look at the package. */
const STRICT = { target: "ES2022", strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [] };

describe("types in a consumer's project", () => {
  let consumer: Consumer;
  before(() => {
    consumer = makeConsumer();
    writeFileSync(join(consumer.dir, "plain.ts"), PLAIN);
    writeFileSync(join(consumer.dir, "tensorflow.ts"), TENSORFLOW);
    mkdirSync(join(consumer.dir, "node_modules/@tensorflow"));
    symlinkSync(join(root, "node_modules/@tensorflow/tfjs"), join(consumer.dir, "node_modules/@tensorflow/tfjs"));
  });
  after(() => consumer.remove());

  const compile = (file: string, options: object): string => {
    writeFileSync(
      join(consumer.dir, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files: [file] }),
    );
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "."], { cwd: consumer.dir, encoding: "utf8" });
    return status === 0 ? "clean" : stdout;
  };

  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    test(`bitpress, ${moduleResolution}: ES2022 alone, no DOM, no @types/node`, () => {
      const options = { module, moduleResolution, lib: ["ES2022"], skipLibCheck: false };
      assert.equal(compile("plain.ts", options), "clean");
    });

    test(`bitpress/tfjs, ${moduleResolution}`, () => {
      // tfjs's own types need the DOM, and do not pass skipLibCheck: false.
      const options = { module, moduleResolution, lib: ["ES2022", "DOM"], skipLibCheck: true };
      assert.equal(compile("tensorflow.ts", options), "clean");
    });
  }

  test("the check sees an error in the package's own types", () => {
    writeFileSync(join(consumer.dir, "broken.ts"), 'import { quantize } from "bitpress";\nquantize(1);\n');
    assert.match(compile("broken.ts", { module: "nodenext", lib: ["ES2022"] }), /^broken\.ts\(2,1\): error TS2554: /);
  });
});
