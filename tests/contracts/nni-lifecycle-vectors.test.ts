import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ConfigList,
  fakeQuantize,
  isQuantized,
  minMax,
  QATQuantizer,
  type QATSchedule,
  type QATTraining,
  type QuantizedTensor,
  type StateDict,
} from "../../src/index.js";
import { fl } from "../../src/reference/rounding.js";
import { convNetStep } from "./conv-net.js";
import { type MlpStep, mlpForward, mlpState, mlpStep } from "./mlp.js";
import { floats, readVectors, ulpsApart, type VectorCase, type VectorNumber } from "./vector-file.js";

// Whole life cycles of NNI's QAT quantizers on a net of two linear layers: construction, training steps, evaluation, export.
// Each runs here through QATQuantizer with NNI's own config list. Where NNI does what the papers say, every step is equal; else
// the steps before its deviation are, and the deviation has a name and is recognised by its cause in NNI's numbers.

type Layer = "fc1" | "fc2";
type NamedTensors = Readonly<Record<string, { readonly shape: number[]; readonly data: VectorNumber[] }>>;
type TargetState = Readonly<Record<"scale" | "tracked_min" | "tracked_max", number[]>>;

interface Step {
  readonly x: VectorNumber[];
  readonly target: VectorNumber[];
  readonly y: VectorNumber[];
  readonly loss: VectorNumber;
  /** v1 */
  readonly fc1_weight: VectorNumber[];
  readonly fc2_weight: VectorNumber[];
  readonly relu_tracked_max: number;
  /** v2, v3 */
  readonly weight?: Readonly<Record<Layer, VectorNumber[]>>;
  readonly weight_grad?: Readonly<Record<Layer, VectorNumber[]>>;
  readonly state: Readonly<Record<string, Readonly<Record<string, number[] | TargetState>>>>;
}

interface Case extends VectorCase {
  readonly quantizer: string;
  readonly model?: string;
  readonly has_nan?: boolean;
  readonly config_list: readonly Record<string, unknown>[];
  readonly kwargs?: { readonly quant_start_step?: number };
  readonly lr: number;
  readonly init: NamedTensors & Readonly<Record<"fc1_w" | "fc1_b" | "fc2_w" | "fc2_b", VectorNumber[]>>;
  readonly steps: Step[];
  readonly eval?: { readonly x: VectorNumber[]; readonly y: VectorNumber[] };
  readonly calibration_config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The cases of QAT on the net of linear layers. */
function mlpCases(file: string): Case[] {
  return readVectors<Case>(file).cases.filter(
    ({ quantizer, model = "mlp" }) => quantizer.startsWith("QAT") && model === "mlp",
  );
}

/** Within the tolerance of the vectors: rtol 1e-5, atol 1e-6. */
function isClose(actual: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  return Array.from(expected).every((value, i) => Math.abs(actual[i] - value) <= 1e-6 + 1e-5 * Math.abs(value));
}

function stateOf({ init }: Case): StateDict {
  const tensors: NamedTensors =
    "fc1_w" in init
      ? {
          "fc1.weight": { data: init.fc1_w, shape: [5, 4] },
          "fc1.bias": { data: init.fc1_b, shape: [5] },
          "fc2.weight": { data: init.fc2_w, shape: [3, 5] },
          "fc2.bias": { data: init.fc2_b, shape: [3] },
        }
      : init;
  return mlpState(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { data, shape }]) => [name, { data: floats(data), shape }] as const),
    ),
  );
}

interface Run {
  readonly one: Case;
  readonly state: StateDict;
  readonly qat: QATTraining;
  /** Of each step: what it computed, and what the weights and ranges were before and after it. */
  readonly steps: readonly {
    readonly result: MlpStep;
    readonly before: StateDict;
    readonly after: StateDict;
    readonly ranges: ReturnType<QATTraining["toJSON"]>["ranges"];
  }[];
  /** Steps before the first that differs. */
  readonly equalSteps: number;
}

function runCase(one: Case, list: ConfigList, schedule: QATSchedule = {}): Run {
  const state = stateOf(one);
  const qat = new QATQuantizer(list, schedule).compress(state);
  const steps = one.steps.map(({ x, target }) => {
    const before = structuredClone(state);
    const result = mlpStep(qat, state, { x: floats(x), target: floats(target), lr: one.lr });
    return { result, before, after: structuredClone(state), ranges: qat.toJSON().ranges };
  });
  const differing = steps.findIndex(({ result, after }, n) => !isStepEqual(one.steps[n], result, after));
  return { one, state, qat, steps, equalSteps: differing < 0 ? steps.length : differing };
}

function isStepEqual(theirs: Step, { y, loss, weightGradients }: MlpStep, after: StateDict): boolean {
  const weights = theirs.weight ?? { fc1: theirs.fc1_weight, fc2: theirs.fc2_weight };
  return (
    isClose(y, floats(theirs.y)) &&
    isClose([loss], [Number(theirs.loss)]) &&
    (["fc1", "fc2"] as const).every(
      (layer) =>
        isClose(after[`${layer}.weight`].data, floats(weights[layer] ?? [])) &&
        isClose(weightGradients[layer], floats(theirs.weight_grad?.[layer] ?? [])),
    )
  );
}

/** NNI's list with its own defaults written out: v1 and v2 mean unsigned affine grids where they say nothing. */
function withOriginalDefaults(list: Case["config_list"]): ConfigList {
  return list.map((entry) => {
    if (entry.exclude === true) return entry;
    const filled = { quant_dtype: "uint", quant_scheme: "per_tensor_affine", ...entry };
    if (!filled.quant_scheme.startsWith("per_channel") || (entry.quant_types as string[]).length === 1) return filled;
    // Activations have one scale here.
    return { ...filled, quant_scheme: { weight: filled.quant_scheme, input: "per_tensor_affine" } };
  }) as ConfigList;
}

/** Equal steps of each case by name. */
function equalSteps(runs: readonly Run[]): Record<string, string> {
  return Object.fromEntries(runs.map(({ one, equalSteps }) => [one.name, `${equalSteps} of ${one.steps.length}`]));
}

/** Fails unless the scale of fc1's weight at the first step is the range over that many steps. */
function assertFirstScale({ one, steps }: Run, scales: number[], expected: (min: number, max: number) => number): void {
  const { data, shape } = steps[0].before["fc1.weight"];
  const { min, max } = minMax(data, scales.length === 1 ? {} : { shape, axis: 0 });
  scales.forEach((scale, c) => {
    const [lo, hi] = [Math.min(min[c], 0), Math.max(max[c], 0)];
    assert.ok(ulpsApart(fl(scale), fl(expected(lo, hi))) <= 1, `${one.name}, channel ${c}`);
  });
}

describe("life cycles of NNI v1.2 to v1.9", () => {
  const runs = mlpCases("nni_lifecycle_v1").map((one) => runCase(one, withOriginalDefaults(one.config_list)));

  it("the first step is equal, gradients included; then their moving average is another", () => {
    assert.deepEqual(equalSteps(runs), {
      v1_2_QAT_Quantizer_0: "1 of 4",
      v1_2_QAT_Quantizer_1: "1 of 4",
      v1_4_QAT_Quantizer_0: "1 of 4",
      v1_4_QAT_Quantizer_1: "1 of 4",
      v1_9_QAT_Quantizer_0: "1 of 4",
      v1_9_QAT_Quantizer_1: "1 of 4",
    });
    const count = { correctedAverage: 0, noRangeInWarmUp: 0 };
    for (const { one, steps } of runs) {
      const max = (n: number): number => steps[n].ranges.relu.output?.max[0] as number;
      if (one.steps[0].relu_tracked_max === 0) {
        // quant_start_step 2: steps are counted from 1, and nothing is tracked before.
        assert.ok(max(0) > 0 && one.steps[1].relu_tracked_max > 0, one.name);
        count.noRangeInWarmUp++;
      } else {
        assert.ok(isClose([max(0)], [one.steps[0].relu_tracked_max]), one.name);
        assert.ok(!isClose([max(1)], [one.steps[1].relu_tracked_max]), one.name);
        count.correctedAverage++;
      }
    }
    assert.deepEqual(count, { correctedAverage: 4, noRangeInWarmUp: 2 });
  });
});

describe("life cycles of NNI v2.10", () => {
  const runs = mlpCases("nni_lifecycle_v2").map((one) => runCase(one, withOriginalDefaults(one.config_list)));
  const run = (name: string): Run => runs.find(({ one }) => one.name === name) as Run;

  it("all steps are equal on the grids that both have", () => {
    assert.deepEqual(equalSteps(runs), {
      qat_mlp_weight_input_0: "4 of 4",
      qat_mlp_weight_input_1: "0 of 4",
      qat_mlp_weight_input_2: "0 of 4",
      qat_mlp_weight_input_3: "0 of 4",
      qat_mlp_weight_input_4: "0 of 4",
      qat_mlp_defaults: "4 of 4",
      qat_mlp_start_step_3: "0 of 4",
      qat_exclude_fc2: "4 of 4",
    });
  });

  it("signed affine grids are narrow there: 2^bits − 2 steps", () => {
    for (const [name, bits] of [
      ["qat_mlp_weight_input_2", 8],
      ["qat_mlp_weight_input_4", 4],
    ] as const) {
      const scales = run(name).one.steps[0].state.fc1.weight_scale as number[];
      assertFirstScale(run(name), scales, (min, max) => (max - min) / (2 ** bits - 2));
    }
  });

  it("unsigned symmetric grids have (2^bits − 1) / 2 steps on either side there", () => {
    const scales = run("qat_mlp_weight_input_3").one.steps[0].state.fc1.weight_scale as number[];
    assertFirstScale(run("qat_mlp_weight_input_3"), scales, (min, max) => Math.max(-min, max) / 7.5);
  });

  it("activations that are 0 in a channel give NaN there; here everything is finite", () => {
    const { one, steps } = run("qat_mlp_weight_input_1");
    assert.equal(one.has_nan, true);
    for (const { result } of steps) assert.ok(result.y.every(Number.isFinite) && Number.isFinite(result.loss));
  });

  it("warm-up passes no gradient to the weights there; here it passes all of it", () => {
    const { one, steps } = run("qat_mlp_start_step_3");
    assert.ok(isClose(steps[0].result.y, floats(one.steps[0].y)));
    const theirs = one.steps[0].weight_grad as Readonly<Record<Layer, VectorNumber[]>>;
    for (const layer of ["fc1", "fc2"] as const) {
      assert.ok(floats(theirs[layer]).every((value) => value === 0));
      assert.ok(steps[0].result.weightGradients[layer].some((value) => value !== 0));
    }
  });

  it("evaluation uses the scales of the last step there, of the current weights here", () => {
    for (const name of ["qat_mlp_defaults", "qat_exclude_fc2"]) {
      const { one, state, qat, steps } = run(name);
      const list = withOriginalDefaults(one.config_list);
      const { x, y } = one.eval as NonNullable<Case["eval"]>;
      // The grid of the weights before the last update, for the weights after it.
      const last = new QATQuantizer(list).compress(structuredClone(steps[3].before), { resume: qat.toJSON() });
      const { weights } = last.exportModel();
      const now = new QATQuantizer(list).compress(state, { resume: qat.toJSON() });
      now.training = false;
      const stale = { ...now, layers: { ...now.layers } };
      for (const layer of ["fc1", "fc2"] as const) {
        const tensor = weights[`${layer}.weight`];
        const { data, shape } = state[`${layer}.weight`];
        if (!isQuantized(tensor)) continue;
        stale.layers[layer] = { ...now.layers[layer], weight: () => fakeQuantize(data, tensor.params, { shape }) };
      }
      assert.ok(isClose(mlpForward(stale, floats(x)).y, floats(y)), name);
    }
  });

  it("the calibration has the same ranges and bits", () => {
    for (const name of ["qat_mlp_weight_input_0", "qat_mlp_defaults", "qat_exclude_fc2"]) {
      const { one, qat } = run(name);
      const { calibration } = qat.exportModel();
      const theirs = one.calibration_config as NonNullable<Case["calibration_config"]>;
      assert.deepEqual(Object.keys(calibration).sort(), Object.keys(theirs).sort(), name);
      for (const [layer, records] of Object.entries(calibration)) {
        assert.equal(records.weight?.quant_bits, theirs[layer].weight_bits, name);
        for (const target of ["input", "output"] as const) {
          const record = records[`_${target}_0`];
          assert.equal(record?.quant_bits, theirs[layer][`${target}_bits`], name);
          if (record === undefined) continue;
          const range = [record.tracked_min?.[0] as number, record.tracked_max?.[0] as number];
          const expected = [theirs[layer][`tracked_min_${target}`], theirs[layer][`tracked_max_${target}`]];
          assert.ok(isClose(range, expected as number[]), `${name}, ${layer}.${target}`);
        }
      }
    }
  });
});

describe("life cycle of NNI v2.10 with a convolution and a float batch norm", () => {
  it("weights per channel, signed and symmetric: all steps are equal", () => {
    const one = readVectors<Case>("nni_lifecycle_v2").cases.find(
      ({ name }) => name === "qat_conv_per_channel_weight",
    ) as Case;
    const state = Object.fromEntries(
      Object.entries(one.init as NamedTensors).map(([name, { data, shape }]) => [name, { data: floats(data), shape }]),
    );
    const qat = new QATQuantizer(one.config_list as ConfigList).compress(state);
    one.steps.forEach((step, n) => {
      const { weight_scale } = step.state.conv as Readonly<Record<string, number[]>>;
      const { params } = qat.exportModel().weights["conv.weight"] as QuantizedTensor;
      assert.ok(isClose(params.scale as Float32Array, weight_scale), `step ${n}: scales`);
      const result = convNetStep(qat, state, { x: floats(step.x), target: floats(step.target), lr: one.lr });
      assert.ok(isClose(result.y, floats(step.y)), `step ${n}: y`);
      assert.ok(isClose([result.loss], [Number(step.loss)]), `step ${n}: loss`);
      const theirs = step as unknown as Record<"weight" | "weight_grad", Record<"conv" | "fc", VectorNumber[]>>;
      for (const layer of ["conv", "fc"] as const) {
        assert.ok(isClose(result.weightGradients[layer], floats(theirs.weight_grad[layer])), `step ${n}: ${layer}`);
        assert.ok(isClose(state[`${layer}.weight`].data, floats(theirs.weight[layer])), `step ${n}: ${layer}.weight`);
      }
    });
  });
});

describe("life cycles of NNI v3.0", () => {
  const all = mlpCases("nni_lifecycle_v3");
  const runs = all
    .filter(({ name }) => name !== "qat_weight_bias")
    .map((one) => {
      // Of NNI's translation of older lists: no dtype means signed, no scheme means symmetric.
      const list =
        one.name === "qat_legacy_config"
          ? one.config_list.map((entry) => ({ ...entry, quant_dtype: "int", quant_scheme: "per_tensor_symmetric" }))
          : one.config_list;
      const { quant_start_step: quantStartStep = 0 } = one.kwargs ?? {};
      return runCase(one, list as ConfigList, { quantStartStep });
    });
  const run = (name: string): Run => runs.find(({ one }) => one.name === name) as Run;
  const targetOf = ({ one }: Run, n: number, layer: string, target: string): TargetState =>
    one.steps[n].state[layer][target] as TargetState;

  it("steps are equal until their average of the weights' ranges leaves the weights", () => {
    assert.deepEqual(equalSteps(runs), {
      qat_mlp_0: "0 of 4",
      qat_mlp_1: "0 of 4",
      qat_mlp_2: "1 of 4",
      qat_mlp_3: "0 of 4",
      qat_start_step_2: "2 of 4",
      qat_weight_out_channel: "1 of 4",
      qat_legacy_config: "0 of 4",
    });
    for (const name of ["qat_mlp_2", "qat_start_step_2", "qat_weight_out_channel"]) {
      const { equalSteps, steps } = run(name);
      const { tracked_min, tracked_max } = targetOf(run(name), equalSteps, "fc1", "weight");
      const { data, shape } = steps[equalSteps].before["fc1.weight"];
      const { min, max } = minMax(data, tracked_min.length === 1 ? {} : { shape, axis: 0 });
      assert.ok(!isClose([...min, ...max], [...tracked_min, ...tracked_max]), name);
    }
  });

  it("signed affine grids are narrow there: 254 steps", () => {
    for (const name of ["qat_mlp_0", "qat_mlp_3"]) {
      const { scale } = targetOf(run(name), 0, "fc1", "weight");
      assertFirstScale(run(name), scale, (min, max) => (max - min) / 254);
    }
  });

  it("unsigned symmetric grids have 127.5 steps on either side there", () => {
    const { scale } = targetOf(run("qat_mlp_1"), 0, "fc1", "weight");
    assertFirstScale(run("qat_mlp_1"), scale, (min, max) => Math.max(-min, max) / 127.5);
  });

  it("the largest activation loses its gradient there where float32 puts it behind the last code", () => {
    const { one, steps } = run("qat_legacy_config");
    assert.ok(isClose(steps[0].result.y, floats(one.steps[0].y)));
    const theirs = floats((one.steps[0].weight_grad as Readonly<Record<Layer, VectorNumber[]>>).fc1);
    const ours = steps[0].result.weightGradients.fc1;
    const units = [...ours.keys()].filter((i) => !isClose([ours[i]], [theirs[i]])).map((i) => Math.floor(i / 4));
    // fc2's input is what fc1 gives: the unit with the largest value, all of its 4 weights.
    const { y1 } = mlpForward(new QATQuantizer([]).compress(stateOf(one)), floats(one.steps[0].x));
    const largest = y1.indexOf(Math.max(...y1)) % 5;
    assert.deepEqual(units, [largest, largest, largest, largest]);
  });

  it("the calibration is in the same words, with the grid beside them, and at the first step the same numbers", () => {
    const { one } = run("qat_mlp_2");
    const qat = new QATQuantizer(one.config_list as ConfigList).compress(stateOf(one));
    mlpForward(qat, floats(one.steps[0].x));
    const calibration = JSON.parse(JSON.stringify(qat.exportModel().calibration)) as Record<
      string,
      Record<string, Record<string, unknown>>
    >;
    const theirs = one.calibration_config as Readonly<
      Record<string, Readonly<Record<string, Record<string, unknown>>>>
    >;
    const first = one.steps[0].state as Readonly<Record<string, Readonly<Record<string, TargetState>>>>;
    assert.deepEqual(Object.keys(calibration).sort(), Object.keys(theirs).sort());
    for (const [layer, records] of Object.entries(calibration)) {
      assert.deepEqual(Object.keys(records).sort(), Object.keys(theirs[layer]).sort());
      for (const [target, { qmin, qmax, ...record }] of Object.entries(records)) {
        const words = theirs[layer][target];
        assert.deepEqual(Object.keys(record).sort(), Object.keys(words).sort());
        for (const key of ["quant_dtype", "quant_scheme", "quant_bits", "zero_point"]) {
          assert.deepEqual(record[key], words[key], `${layer}.${target}.${key}`);
        }
        for (const key of ["scale", "tracked_min", "tracked_max"] as const) {
          assert.ok(isClose(record[key] as number[], first[layer][target][key]), `${layer}.${target}.${key}`);
        }
        const signed = record.quant_dtype === "int8";
        assert.deepEqual([qmin, qmax], signed ? [target === "weight" ? -127 : -128, 127] : [0, 255]);
      }
    }
  });

  it("biases are no target: they lie on the grid of their layer's products", () => {
    const one = all.find(({ name }) => name === "qat_weight_bias") as Case;
    assert.throws(() => new QATQuantizer(one.config_list as ConfigList), {
      code: "invalid-config",
      message:
        'QATQuantizer: config entry 0, "target_names": expected words among "weight", "_input_", "_output_", "_input_0", "_output_0", got "bias"',
    });
  });
});

// Left out: qat_conv has an unsigned symmetric grid, as above. Those with a folded batch norm: nni-batch-norm-vectors.test.ts.
