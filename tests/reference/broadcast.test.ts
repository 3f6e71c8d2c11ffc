import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { broadcastIndex } from "../../src/reference/broadcast.js";

describe("broadcastIndex", () => {
  const index = (from: number[], to: number[]): number[] => Array.from(broadcastIndex(from, to));

  it("is the identity between equal shapes", () => {
    assert.deepEqual(index([2, 3], [2, 3]), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(index([], []), [0]);
  });

  it("repeats axes of size 1", () => {
    assert.deepEqual(index([2, 1], [2, 3]), [0, 0, 0, 1, 1, 1]);
    assert.deepEqual(index([1, 3], [2, 3]), [0, 1, 2, 0, 1, 2]);
    assert.deepEqual(index([2, 1, 2], [2, 2, 2]), [0, 1, 0, 1, 2, 3, 2, 3]);
  });

  it("aligns with the last axes", () => {
    assert.deepEqual(index([3], [2, 3]), [0, 1, 2, 0, 1, 2]);
    assert.deepEqual(index([], [2, 2]), [0, 0, 0, 0]);
  });
});
