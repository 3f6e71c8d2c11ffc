import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { planRuns } from "../../../scripts/dorefa-accuracy/plan.js";
import { addRun, readRuns, runOf } from "../../../scripts/dorefa-accuracy/record.js";

const folder = mkdtempSync(join(tmpdir(), "dorefa-record-"));
after(() => rmSync(folder, { recursive: true }));

it("a run that is done is found again by its plan, and by no other", () => {
  const file = join(folder, "new", "runs.jsonl");
  assert.deepEqual(readRuns(file), []);
  const plans = [...planRuns(["--seeds", "2"]), ...planRuns(["--full"]), ...planRuns(["--choose-rate"])];
  const runs = plans.map((plan, i) => ({ ...plan, accuracy: i / 1000, msPerImage: 1 }));
  for (const run of runs) addRun(file, run);
  assert.deepEqual(readRuns(file), runs);
  plans.forEach((plan, i) => {
    assert.deepEqual(
      runOf(plan, readRuns(file)),
      runs.find((run) => run.accuracy === firstOf(i) / 1000),
    );
  });
  assert.equal(runOf({ ...plans[0], seed: 9 }, runs), undefined);
  assert.equal(runOf({ ...plans[0], judgedOn: "heldOut" }, runs), undefined);

  /** The ablation of --full is that of fewer seeds, and one more. */
  function firstOf(i: number): number {
    return plans.findIndex((plan) => JSON.stringify(plan) === JSON.stringify(plans[i]));
  }
});
