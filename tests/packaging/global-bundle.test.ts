import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createContext, runInContext, runInThisContext } from "node:vm";
import { root } from "./consumer.js";

const bundle = readFileSync(join(root, "dist/bitpress.global.js"), "utf8");

test("the script-tag bundle sets one global and works without tfjs", () => {
  const page = createContext({ TextDecoder });
  const before = Object.keys(page);
  runInContext(bundle, page);
  assert.deepEqual(
    Object.keys(page).filter((name) => !before.includes(name)),
    ["bitpress"],
  );
  assert.equal(runInContext("bitpress.backend()", page), "simd");
  assert.throws(() => runInContext("new bitpress.tfjs.NaiveQuantizer().compress({})", page), {
    message: 'bitpress.tfjs: expected the global "tf" of a tfjs script tag, got none; load tfjs before',
  });
});

test("the script-tag bundle of bitpress/runtime sets the same global, with sessions alone", () => {
  const page = createContext({ TextDecoder });
  const before = Object.keys(page);
  runInContext(readFileSync(join(root, "dist/bitpress.runtime.global.js"), "utf8"), page);
  assert.deepEqual(
    Object.keys(page).filter((name) => !before.includes(name)),
    ["bitpress"],
  );
  assert.equal(runInContext("Object.keys(bitpress).sort().join()", page), "QuantError,backend,createSession,init");
  assert.equal(runInContext("bitpress.backend()", page), "simd");
});

test("bitpress.tfjs works over the page's own tf, also when that comes later", async () => {
  runInThisContext(bundle);
  const tf = await import("@tensorflow/tfjs");
  Object.assign(globalThis, { tf });
  const small = runInThisContext(`
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
    new bitpress.tfjs.NaiveQuantizer({ bits: 8 }).compress(model);
  `);
  assert.ok(small instanceof tf.LayersModel);
});
