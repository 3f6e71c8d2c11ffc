import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatCodes } from "../../src/reference/concat-codes.js";

describe("concatCodes", () => {
  const a = Int8Array.of(1, 2, 3, 4);
  const b = Int8Array.of(5, 6);

  it("joins along the last axis", () => {
    const out = new Int8Array(6);
    concatCodes(
      [a, b],
      [
        [2, 2],
        [2, 1],
      ],
      1,
      out,
    );
    assert.deepEqual(out, Int8Array.of(1, 2, 5, 3, 4, 6));
  });

  it("joins along the first axis, in the order of the inputs", () => {
    const out = new Int8Array(8);
    concatCodes(
      [b, a, b],
      [
        [1, 2],
        [2, 2],
        [1, 2],
      ],
      0,
      out,
    );
    assert.deepEqual(out, Int8Array.of(5, 6, 1, 2, 3, 4, 5, 6));
  });

  it("joins along a middle axis", () => {
    const out = new Int8Array(12);
    concatCodes(
      [Int8Array.of(1, 2, 3, 4), Int8Array.of(5, 6, 7, 8, 9, 10, 11, 12)],
      [
        [2, 1, 2],
        [2, 2, 2],
      ],
      1,
      out,
    );
    assert.deepEqual(out, Int8Array.of(1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12));
  });
});
