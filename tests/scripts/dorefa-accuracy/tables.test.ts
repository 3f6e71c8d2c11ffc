import assert from "node:assert/strict";
import { it } from "node:test";
import { planRuns } from "../../../scripts/dorefa-accuracy/plan.js";
import { tablesOf } from "../../../scripts/dorefa-accuracy/tables.js";

const runsOf = (args: string[], accuracy: (i: number) => number) =>
  planRuns(args).map((plan, i) => ({ ...plan, accuracy: accuracy(i), msPerImage: 1 + i / 10 }));

it("mean, lowest and highest of the seeds, beside what others report for MNIST", () => {
  const runs = runsOf(["mnist", "1-2-4", "1-1-4", "--seeds", "2"], (i) => [0.99, 0.98, 0.992, 0.984][i]);
  assert.deepEqual(tablesOf(runs), [
    {
      title: "mnist",
      rows: [
        {
          ...{ "W-A-G": "1-2-4", epochs: 3, seeds: 2, mean: 99.1, lowest: 99, highest: 99.2 },
          ...{ public: 99.61, "ms/image": 1 },
        },
        {
          ...{ "W-A-G": "1-1-4", epochs: 3, seeds: 2, mean: 98.2, lowest: 98, highest: 98.4 },
          ...{ public: 99.06, "ms/image": 1.1 },
        },
      ],
    },
  ]);
});

it("tables of their own for the ablation and for the choice of the rate; runs of other lengths in rows of their own", () => {
  const noise = runsOf(["noise"], (i) => 0.9 + i / 100);
  const rates = runsOf(["--choose-rate", "mnist"], () => 0.95);
  const fashion = [...runsOf(["fashion", "1-2-4"], () => 0.85), ...runsOf(["fashion", "1-2-4", "--full"], () => 0.87)];
  const tables = tablesOf([...noise, ...rates, ...fashion]);
  assert.deepEqual(
    tables.map(({ title }) => title),
    ["fashion", "noise of gradients, short runs", "learning rates, judged on training images left out"],
  );
  assert.deepEqual(
    tables[0].rows.map(({ epochs, seeds, mean, public: known }) => [epochs, seeds, mean, known]),
    [
      [3, 1, 85, undefined],
      [10, 3, 87, undefined],
    ],
  );
  assert.deepEqual(
    tables[1].rows.map((row) => [row["W-A-G"], row.noise, row.mean]),
    [
      ["1-2-32", "gradients as they are", 90],
      ["1-2-4", "element", 91],
      ["1-2-4", "sample", 92],
      ["1-2-4", "none", 93],
    ],
  );
  assert.deepEqual(
    tables[2].rows.map(({ rate }) => rate),
    [0.003, 0.01, 0.03, 0.003, 0.01, 0.03],
  );
});

it("no runs: no tables", () => {
  assert.deepEqual(tablesOf([]), []);
});
