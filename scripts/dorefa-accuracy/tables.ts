import type { Plan } from "./plan.js";
import type { Run } from "./record.js";

export interface Table {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** Accuracy in percent that others report for LeNet-5 on MNIST (RedBit), by bits of weights and activations. */
const PUBLIC: Readonly<Record<string, number>> = {
  "32-32": 99.67,
  "8-8": 99.69,
  "4-4": 99.68,
  "2-2": 99.62,
  "1-2": 99.61,
  "1-1": 99.06,
};

/** Means over the seeds: a table for each set, for the ablation of the noise and for the choice of the rate, as far as there are runs. */
export function tablesOf(runs: readonly Run[]): Table[] {
  const judged = runs.filter(({ judgedOn }) => judgedOn === "test");
  const isShort = ({ images }: Plan): boolean => images < 60_000;
  const tables = [
    ...(["mnist", "fashion"] as const).map((set) => ({
      title: set,
      rows: grouped(
        judged.filter((run) => run.set === set && !isShort(run)),
        ({ bits, epochs }) => ({ "W-A-G": bits, epochs }),
        ({ bits }) => {
          const known = PUBLIC[bits.split("-").slice(0, 2).join("-")];
          return set === "mnist" && known !== undefined ? { public: known } : {};
        },
      ),
    })),
    {
      title: "noise of gradients, short runs",
      rows: grouped(judged.filter(isShort), ({ bits, noise }) => ({
        "W-A-G": bits,
        noise: noise ?? "gradients as they are",
      })),
    },
    {
      title: "learning rates, judged on training images left out",
      rows: grouped(
        runs.filter(({ judgedOn }) => judgedOn === "heldOut"),
        ({ set, bits, learningRate }) => ({ set, "W-A-G": bits, rate: learningRate }),
      ),
    },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

type Row = Table["rows"][number];

/** A row for the runs of one name, in the order of their first. */
function grouped(runs: readonly Run[], nameOf: (run: Run) => Row, moreOf: (run: Run) => Row = () => ({})): Row[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = JSON.stringify(nameOf(run));
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => {
    const shares = group.map(({ accuracy }) => 100 * accuracy);
    const mean = shares.reduce((sum, one) => sum + one, 0) / shares.length;
    return {
      ...nameOf(group[0]),
      seeds: group.length,
      mean: round(mean),
      lowest: round(Math.min(...shares)),
      highest: round(Math.max(...shares)),
      ...moreOf(group[0]),
      "ms/image": round(Math.min(...group.map(({ msPerImage }) => msPerImage))),
    };
  });
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
