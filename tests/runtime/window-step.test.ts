import assert from "node:assert/strict";
import { test } from "node:test";
import { windowSpans } from "../../src/runtime/window-step.js";

test("windowSpans: windows are cut where the map ends", () => {
  assert.deepEqual(windowSpans(3, 2, 3, 1, 6), [
    { first: 0, count: 2 },
    { first: 1, count: 3 },
    { first: 3, count: 3 },
  ]);
  assert.deepEqual(windowSpans(1, 1, 5, 2, 1), [{ first: 0, count: 1 }]);
});
