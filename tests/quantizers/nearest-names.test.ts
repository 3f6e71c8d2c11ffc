import assert from "node:assert/strict";
import { it } from "node:test";
import { nearestNames } from "../../src/quantizers/nearest-names.js";

it("nearestNames puts the nearest first and keeps the order of ties", () => {
  assert.equal(nearestNames("conv3", ["fc1", "conv1", "bn1", "conv2"]), '"conv1", "conv2", "bn1", "fc1"');
  assert.equal(nearestNames("conv2d", ["Linear", "Conv1d", "Conv2d"]), '"Conv2d", "Conv1d", "Linear"');
  assert.equal(nearestNames("fc1", []), "");
  assert.equal(nearestNames("", ["ab", "a"]), '"a", "ab"');
});

it("nearestNames names one choice once and counts those after six", () => {
  assert.equal(nearestNames("a", ["b", "b"]), '"b"');
  assert.equal(nearestNames("l", ["l1", "l2", "l3", "l4", "l5", "l6"]), '"l1", "l2", "l3", "l4", "l5", "l6"');
  assert.equal(
    nearestNames("l8", ["l1", "l2", "l3", "l4", "l5", "l6", "l7", "x8"]),
    '"l1", "l2", "l3", "l4", "l5", "l6", … 2 more',
  );
});
