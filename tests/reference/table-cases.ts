import type { CodeTable } from "../../src/reference/code-table.js";

/** Entries of a table at some codes. */
export function entriesAt(table: CodeTable, codes: readonly number[]): number[] {
  return codes.map((q) => table[q + 128]);
}
