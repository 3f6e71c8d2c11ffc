import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../src/cli/table.js";

test("columns as wide as their widest cell in characters, two spaces apart, no spaces at line ends", () => {
  const columns = [
    { title: "name", align: "left" },
    { title: "n", align: "right" },
    { title: "values", align: "left" },
  ] as const;
  const rows = [
    ["a", "1", "▁█"],
    ["longer", "1234", "▁ 😀▁▁▁▁"],
    ["total", "", ""],
  ];
  assert.equal(
    table(columns, rows),
    ["name       n  values", "a          1  ▁█", "longer  1234  ▁ 😀▁▁▁▁", "total", ""].join("\n"),
  );
});

test("a table without rows is its titles", () => {
  assert.equal(table([{ title: "name", align: "right" }], []), "name\n");
});
