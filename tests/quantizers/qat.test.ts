import assert from "node:assert/strict";
import test from "node:test";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { type QATOptions, type QATSchedule, qatPlan } from "../../src/quantizers/qat.js";

const NEVER = Number.MAX_SAFE_INTEGER;
const FC = { id: "fc", name: "fc", className: "Dense", config: {} };

test("the defaults: 8 bits, per channel, no warm-up, decay 0.99, nothing is ever frozen", () => {
  const { schedule, defaults, settingsFor } = qatPlan("test", {});
  assert.deepEqual(schedule, {
    quantStartStep: 0,
    decay: 0.99,
    freezeObserversStep: NEVER,
    freezeBatchNormStep: NEVER,
  });
  assert.deepEqual(defaults, { weightBits: 8, activationBits: 8, granularity: "perChannel", symmetric: false });
  assert.equal(settingsFor([]), undefined);
});

test("the specific bits win over bits; the schedule is among the options", () => {
  const { schedule, defaults } = qatPlan("test", {
    bits: 6,
    weightBits: 4,
    firstLastBits: 16,
    granularity: "perTensor",
    denseGranularity: "perChannel",
    symmetric: true,
    quantStartStep: 3,
    decay: 0,
    freezeObserversStep: 5,
    freezeBatchNormStep: 7,
  });
  assert.deepEqual(schedule, { quantStartStep: 3, decay: 0, freezeObserversStep: 5, freezeBatchNormStep: 7 });
  assert.deepEqual(defaults, {
    weightBits: 4,
    activationBits: 6,
    granularity: "perTensor",
    denseGranularity: "perChannel",
    symmetric: true,
    firstLastBits: 16,
  });
});

test("a config list decides per layer, beside a schedule; layers it does not match have no settings", () => {
  const list: ConfigList = [
    { op_types: ["Dense"], quant_types: ["weight"], quant_bits: 4, axis: 0 },
    { op_names: ["out"], quant_types: ["output"], quant_bits: 8, quant_start_step: 2 },
    { op_names: ["skip"], exclude: true },
  ];
  const { schedule, settingsFor } = qatPlan("test", list, { decay: 0.5 });
  assert.equal(schedule.decay, 0.5);
  const settingsOf = settingsFor([
    { name: "fc", type: "Dense" },
    { name: "out", type: "Dense" },
    { name: "skip", type: "Dense" },
    { name: "conv", type: "Conv2D" },
  ]);
  assert.deepEqual(settingsOf?.(FC), { index: 0, targets: { weight: { bits: 4 } }, axis: 0 });
  assert.deepEqual(settingsOf?.({ ...FC, name: "out" }), {
    index: 1,
    targets: { output: { bits: 8 } },
    quantStartStep: 2,
  });
  assert.equal(settingsOf?.({ ...FC, name: "skip" }), undefined);
  assert.equal(settingsOf?.({ ...FC, name: "conv", className: "Conv2D" }), undefined);
});

test("names that the model lacks are an error, in the words of the place given", () => {
  const { settingsFor } = qatPlan("test", [{ op_names: ["fc2"], quant_types: ["weight"], quant_bits: 4 }]);
  const error = (where: string) => ({
    code: "invalid-config",
    message: `${where}: config entry 0, "op_names": expected names of layers ("fc"), got "fc2"`,
  });
  assert.throws(() => settingsFor([{ name: "fc", type: "Dense" }]), error("test"));
  assert.throws(() => settingsFor([{ name: "fc", type: "Dense" }], "compress"), error("compress"));
});

test("bad options: one clear error each", () => {
  const choices =
    "bits, weightBits, activationBits, granularity, denseGranularity, symmetric, firstLastBits, quantStartStep, decay, freezeObserversStep, freezeBatchNormStep";
  for (const [options, name, message] of [
    [null, "TypeError", "expected options or a config list, got null"],
    [8, "TypeError", "expected options or a config list, got 8"],
    [{ bit: 8 }, "TypeError", `expected options among ${choices}, got "bit"`],
    [{ bits: 1 }, "RangeError", "expected bits in 2…16, got 1"],
    [{ weightBits: 17 }, "RangeError", "expected weightBits in 2…16, got 17"],
    [{ activationBits: 4.5 }, "RangeError", "expected activationBits in 2…16, got 4.5"],
    [{ firstLastBits: 32 }, "RangeError", "expected firstLastBits in 2…16, got 32"],
    [{ granularity: "perAxis" }, "RangeError", 'expected granularity perChannel or perTensor, got "perAxis"'],
    [{ denseGranularity: 1 }, "RangeError", "expected denseGranularity perChannel or perTensor, got 1"],
    [{ symmetric: 1 }, "TypeError", "expected symmetric to be true or false, got 1"],
    [{ decay: 1 }, "RangeError", "expected decay in [0, 1), got 1"],
    [{ decay: Number.NaN }, "RangeError", "expected decay in [0, 1), got NaN"],
    [{ quantStartStep: -1 }, "RangeError", "expected quantStartStep to be an integer ≥ 0, got -1"],
    [{ freezeObserversStep: 0.5 }, "RangeError", "expected freezeObserversStep to be an integer ≥ 0, got 0.5"],
    [{ freezeBatchNormStep: "1" }, "RangeError", "expected freezeBatchNormStep to be an integer ≥ 0, got 1"],
  ] as const) {
    assert.throws(() => qatPlan("test", options as QATOptions), { name, message: `test: ${message}` });
  }
  const schedule = { bits: 8 } as QATSchedule;
  assert.throws(() => qatPlan("test", [], schedule), {
    name: "TypeError",
    message: 'test: expected options among quantStartStep, decay, freezeObserversStep, freezeBatchNormStep, got "bits"',
  });
});
