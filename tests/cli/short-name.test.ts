import assert from "node:assert/strict";
import { test } from "node:test";
import { shortName } from "../../src/cli/short-name.js";

test("names longer than 60 characters lose their beginning", () => {
  const sixty = `${"x".repeat(53)}/kernel`;
  assert.equal(shortName(sixty), sixty);
  assert.equal(shortName(`a${sixty}`), `…${sixty.slice(1)}`);
  assert.equal(shortName("a\x1bb"), "a\\u{1b}b");
});
