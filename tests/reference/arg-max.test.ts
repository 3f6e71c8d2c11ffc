import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { argMax } from "../../src/reference/arg-max.js";

describe("argMax", () => {
  it("is the first of the largest", () => {
    const out = new Int32Array(2);
    argMax(Int8Array.of(-3, 5, 5, -128, -128, -128), { outer: 2, channels: 3, inner: 1 }, out);
    assert.deepEqual(out, Int32Array.of(1, 0));
  });

  it("runs along any axis", () => {
    const out = new Int32Array(2);
    argMax(Int8Array.of(1, 9, 4, 2, 3, 9), { outer: 1, channels: 3, inner: 2 }, out);
    assert.deepEqual(out, Int32Array.of(1, 0));
  });
});
