import type { RoundingRule } from "../core/rounding-rule.js";
import type { CodeCounts, TensorCounts } from "./parity.js";

/** How many codes differ, and how far. */
export interface Differences {
  readonly differing: number;
  /** differing / codes. */
  readonly fraction: number;
  /** Largest |difference|, in codes. */
  readonly largest: number;
}

/** One value with a quantizer. */
export interface LayerParity {
  /** The value's name. */
  readonly value: string;
  readonly codes: number;
  /** The integer layer on the simulation's codes: differences are its own. */
  readonly alone: Differences;
  /** The integer model by itself: differences of layers before come along. */
  readonly endToEnd: Differences;
  /**
   * Present where training did not round all that the layer computes with (DoReFa's first and last layers, sums of values that it only
   * observed, weights of 8 bits): differences are of that rounding, too.
   */
  readonly roundedLater?: true;
}

/** What verify found: plain data. */
export interface VerifyReport {
  readonly rounding: RoundingRule;
  readonly samples: number;
  /** In the order of the integer model. */
  readonly layers: readonly LayerParity[];
  readonly codes: number;
  /** Over all layers. */
  readonly alone: Differences;
  readonly endToEnd: Differences;
  /** The first value that differs end to end; absent: none does. */
  readonly firstDiffering?: string;
  /** Share of samples with the right class; with labels only. */
  readonly accuracy?: { readonly simulated: number; readonly integer: number };
}

/** The report of what was counted; `roundedInTraining`: the values whose layers must give their very codes. */
export function verifyReport(
  rounding: RoundingRule,
  samples: number,
  counts: ReadonlyMap<string, TensorCounts>,
  roundedInTraining: ReadonlySet<string>,
  accuracy: VerifyReport["accuracy"],
): VerifyReport {
  const layers = [...counts].map(([value, { codes, alone, endToEnd }]) => ({
    value,
    codes,
    alone: differences(alone, codes),
    endToEnd: differences(endToEnd, codes),
    ...(!roundedInTraining.has(value) && ({ roundedLater: true } as const)),
  }));
  const codes = layers.reduce((sum, layer) => sum + layer.codes, 0);
  const total = (of: (layer: LayerParity) => Differences): Differences => {
    const differing = layers.reduce((sum, layer) => sum + of(layer).differing, 0);
    return differences({ differing, largest: Math.max(...layers.map((layer) => of(layer).largest)) }, codes);
  };
  const first = layers.find(({ endToEnd }) => endToEnd.differing > 0);
  return {
    rounding,
    samples,
    layers,
    codes,
    alone: total(({ alone }) => alone),
    endToEnd: total(({ endToEnd }) => endToEnd),
    ...(first !== undefined && { firstDiffering: first.value }),
    ...(accuracy !== undefined && { accuracy }),
  };
}

function differences({ differing, largest }: CodeCounts, codes: number): Differences {
  return { differing, fraction: differing / codes, largest };
}

/**
 * A report as text: a line on the whole, then one aligned line per value. Ends without a line break.
 *
 *     300 samples, rounding integer: 3 of 11530800 codes differ, by 1; end to end 54, by at most 2, first at "relu2"
 *     image  235200 codes   alone 0        end to end 0
 *     relu1  3763200 codes  alone 3, by 1  end to end 3, by 1
 *
 * Layers that training did not round are marked, and the first line says how many differences are left without them.
 */
export function printVerification(report: VerifyReport): string {
  const rows = report.layers.map(({ value, codes, alone, endToEnd, roundedLater }) => [
    value,
    `${codes} codes`,
    `alone ${countText(alone)}`,
    `end to end ${countText(endToEnd)}${roundedLater === true ? ", rounded after training" : ""}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "));
  return [summaryLine(report), ...lines].join("\n");
}

function summaryLine(report: VerifyReport): string {
  const { samples, rounding, layers, codes, alone, endToEnd, firstDiffering, accuracy } = report;
  const trained = layers.filter(({ roundedLater }) => roundedLater !== true);
  const ofTraining = trained.reduce((sum, layer) => sum + layer.alone.differing, 0);
  const part = trained.length === layers.length ? "" : `, ${ofTraining} of them where training rounded`;
  const verb = alone.differing === 1 ? "differs" : "differ";
  const first = firstDiffering === undefined ? "" : `, first at "${firstDiffering}"`;
  const classes =
    accuracy === undefined ? "" : `; accuracy ${accuracy.simulated} simulated, ${accuracy.integer} integer`;
  const head = `${samples} ${samples === 1 ? "sample" : "samples"}, rounding ${rounding}`;
  return `${head}: ${alone.differing} of ${codes} codes ${verb}${sizeText(alone)}${part}; end to end ${countText(endToEnd)}${first}${classes}`;
}

function countText(found: Differences): string {
  return `${found.differing}${sizeText(found)}`;
}

function sizeText({ differing, largest }: Differences): string {
  if (differing === 0) return "";
  return largest === 1 ? ", by 1" : `, by at most ${largest}`;
}
