/** Prints a table of which the first row is the head, as Markdown with aligned columns. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const [head, ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of [head, widths.map((width) => "-".repeat(width)), ...body]) {
    console.log(`| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`);
  }
}
