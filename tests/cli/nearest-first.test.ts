import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestFirst } from "../../src/cli/nearest-first.js";

test("choices by letters to insert, delete or replace; equals keep their order", () => {
  assert.deepEqual(nearestFirst("inspct", ["quantize", "inspect"]), ["inspect", "quantize"]);
  assert.deepEqual(nearestFirst("--bit", ["--layout", "--output", "--bits"]), ["--bits", "--layout", "--output"]);
  assert.deepEqual(nearestFirst("", ["bb", "a", "cc", "d"]), ["a", "d", "bb", "cc"]);
  assert.deepEqual(nearestFirst("perchannel", ["perTensor", "perChannel"]), ["perChannel", "perTensor"]);
});
