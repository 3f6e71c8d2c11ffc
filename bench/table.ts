import type { Row } from "./comparison.js";

const HEADINGS = ["kernel", "µs per 2^20", "plain arrays", "peer", "ratio", "plain arrays", "floor", ""];

/** Rows as a Markdown table; a kernel's name and times stand in its first row only. */
export function markdownTable(rows: readonly Row[]): string {
  const cells = rows.map((row, i) => {
    const first = rows[i - 1]?.kernel !== row.kernel;
    return [
      first ? row.kernel : "",
      first ? microseconds(row.microseconds) : "",
      first ? microseconds(row.plainMicroseconds) : "",
      row.peer,
      times(row.ratio),
      row.plainRatio === undefined ? "–" : times(row.plainRatio),
      row.floor === undefined ? "–" : times(row.floor),
      row.floor === undefined ? "" : row.ratio >= row.floor ? "met" : "**missed**",
    ];
  });
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...cells.map((row) => row[column].length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(HEADINGS), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...cells.map(line)].join("\n");
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)}x`;
}

function microseconds(time: number | undefined): string {
  return time === undefined ? "–" : time.toFixed(time < 10 ? 2 : 0);
}
