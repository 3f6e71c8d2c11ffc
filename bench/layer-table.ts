import type { NodeProfile } from "../src/index.js";

/** Time, products and products per nanosecond of each layer, as a Markdown table; the layers below 1 % of the time in one row. */
export function layerTable(layers: readonly NodeProfile[]): string {
  const total = layers.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = layers
    .filter(({ milliseconds }) => milliseconds >= total / 100)
    .map(({ name, op, kernels, milliseconds, macs }) =>
      row(`${shortName(name)} (${op})`, kernels.join(", "), milliseconds, macs, total),
    );
  const small = layers.filter(({ milliseconds }) => milliseconds < total / 100);
  const sumOf = (key: "milliseconds" | "macs"): number => small.reduce((sum, layer) => sum + layer[key], 0);
  const allMacs = layers.reduce((sum, { macs }) => sum + macs, 0);
  return [
    "| layer | kernels | µs | share | MAC | MAC/ns |",
    "|---|---|---|---|---|---|",
    ...rows,
    ...(small.length === 0 ? [] : [row(`${small.length} others`, "", sumOf("milliseconds"), sumOf("macs"), total)]),
    row("all", "", total, allMacs, total),
  ].join("\n");
}

/** Converters name a tensor by all that was fused into it. */
function shortName(name: string): string {
  return name.split(";")[0];
}

function row(name: string, kernels: string, milliseconds: number, macs: number, total: number): string {
  const share = `${((100 * milliseconds) / total).toFixed(0)} %`;
  const speed = macs === 0 ? "–" : (macs / milliseconds / 1e6).toFixed(1);
  const cells = [name, kernels, (1e3 * milliseconds).toFixed(1), share, macs === 0 ? "–" : `${macs}`, speed];
  return `| ${cells.join(" | ")} |`;
}
