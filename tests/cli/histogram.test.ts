import assert from "node:assert/strict";
import { test } from "node:test";
import { histogram } from "../../src/cli/histogram.js";

test("each eighth of the largest count has its block, rounded up; none is a space", () => {
  assert.equal(histogram([0, 1, 2, 3, 4, 5, 6, 7, 8]), " ▁▂▃▄▅▆▇█");
  assert.equal(histogram([1, 1000, 126, 125]), "▁█▂▁");
  assert.equal(histogram([0, 0]), "  ");
});
