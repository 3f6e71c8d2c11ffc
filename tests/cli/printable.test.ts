import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "../../src/cli/printable.js";

test("line ends become spaces, control and direction characters their numbers", () => {
  assert.equal(printable('JSON, got "\n  {"\r\nx'), 'JSON, got " {" x');
  assert.equal(printable("a\x1b[31mb\x07\x9b\u202ec\u2028"), "a\\u{1b}[31mb\\u{7}\\u{9b}\\u{202e}c\\u{2028}");
  assert.equal(printable("größe/重み 😀"), "größe/重み 😀");
});
