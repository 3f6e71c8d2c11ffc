/** One column: its title, and where its cells stand in it. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Rows under titles, columns two spaces apart, no spaces at the ends of lines. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => lines.reduce((width, line) => Math.max(width, [...line[i]].length), 0));
  const pad = (cell: string, i: number): string => {
    const space = " ".repeat(widths[i] - [...cell].length);
    return columns[i].align === "left" ? cell + space : space + cell;
  };
  return lines.map((line) => `${line.map(pad).join("  ").trimEnd()}\n`).join("");
}
