import assert from "node:assert/strict";
import { it } from "node:test";
import { namePattern } from "../../src/quantizers/name-pattern.js";

it("namePattern is anchored at the start only, like re.match", () => {
  assert.equal(namePattern("conv").test("conv1"), true);
  assert.equal(namePattern("conv").test("block.conv1"), false);
  assert.equal(namePattern("^$").test(""), true);
  assert.equal(namePattern("").test("fc1"), true);
  assert.equal(namePattern("fc|conv").test("block.conv1"), false);
  assert.equal(namePattern("block\\..*1$").test("block.fc1"), true);
  assert.equal(namePattern("block\\..*1$").test("block.fc12"), false);
});

it("namePattern refuses what means something else in Python, and half patterns", () => {
  for (const pattern of ["\\Aconv", "conv\\Z", "(?P<n>conv)", "(conv", "a)|(b"]) {
    assert.throws(() => namePattern(pattern), SyntaxError, pattern);
  }
});
