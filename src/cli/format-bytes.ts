/** A number of bytes in decimal units, three digits: 288 B, 24.1 kB, 1.24 MB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
