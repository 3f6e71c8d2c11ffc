import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes } from "../../src/cli/format-bytes.js";

test("decimal units, three digits, never 1000 of a unit", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [24_149, "24.1 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [2.5e9, "2.50 GB"],
    [1.5e15, "1.50e+3 TB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});
