import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNumber, formatSqnr, sqnrAsJson } from "../../src/cli/format-number.js";

test("numbers with three digits, whole ones below a million in full", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [-0.0012345, "-0.00123"],
    [1.2e-7, "1.2e-7"],
    [127, "127"],
    [123_456, "123456"],
    [1_234_567, "1230000"],
    [0.5, "0.5"],
    [-2.34567, "-2.35"],
  ];
  for (const [value, text] of cases) assert.equal(formatNumber(value), text);
});

test("SQNR in dB, exact when nothing is lost, a dash when unknown; JSON has null for infinity", () => {
  assert.deepEqual([43.149, Number.POSITIVE_INFINITY, undefined].map(formatSqnr), ["43.1 dB", "exact", "–"]);
  assert.deepEqual([43.149, Number.POSITIVE_INFINITY].map(sqnrAsJson), [43.149, null]);
});
