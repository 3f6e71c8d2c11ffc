import assert from "node:assert/strict";
import { it } from "node:test";
import { sameShape } from "../../src/graph/same-shape.js";

it("sameShape", () => {
  assert.equal(sameShape([null, 2], [null, 2]), true);
  assert.equal(sameShape([null, 2], [1, 2]), false);
  assert.equal(sameShape([null, 2], [null, 2, 1]), false);
});
