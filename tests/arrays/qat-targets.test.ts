import assert from "node:assert/strict";
import test from "node:test";
import { qatTargets } from "../../src/arrays/qat-targets.js";
import type { StateDictLayer } from "../../src/arrays/weighted-layers.js";
import type { StateDict } from "../../src/core/tensor.js";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { type QATOptions, qatPlan } from "../../src/quantizers/qat.js";

const tensor = (shape: number[], type?: string): StateDict[string] => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  shape,
  ...(type !== undefined && { type }),
});
const STATE: StateDict = {
  "conv.weight": tensor([2, 1, 3, 3]),
  "norm.weight": tensor([2]),
  "fc1.weight": tensor([3, 2]),
  "fc2.weight": tensor([4, 3]),
};
const LAYERS: StateDictLayer[] = [
  { name: "conv", type: "Conv2d", weightEntries: ["conv.weight"] },
  { name: "norm", type: "", weightEntries: [] },
  { name: "fc1", type: "Linear", weightEntries: ["fc1.weight"] },
  { name: "fc2", type: "Linear", weightEntries: ["fc2.weight"] },
];

const targets = (config: QATOptions | ConfigList) =>
  Object.fromEntries(qatTargets("test", qatPlan("test", config), LAYERS, STATE, "pytorch"));

test("options: weight, input and output of every layer with a weight; the first input and the last output have at least 8 bits", () => {
  const affine = (bits: number) => ({ bits, signed: true, symmetric: false });
  const weight = { bits: 4, signed: true, symmetric: true, granularity: "perChannel", axis: 0 };
  assert.deepEqual(targets({ bits: 4 }), {
    conv: { weight, input: affine(8), output: affine(4) },
    norm: {},
    fc1: { weight, input: affine(4), output: affine(4) },
    fc2: { weight, input: affine(4), output: affine(8) },
  });
});

test("options: firstLastBits are those of the ends, denseGranularity that of dense layers, symmetric that of activations", () => {
  const { conv, fc1, fc2 } = targets({
    weightBits: 3,
    activationBits: 10,
    firstLastBits: 6,
    denseGranularity: "perTensor",
    symmetric: true,
  });
  assert.deepEqual([conv.weight?.bits, conv.input?.bits, conv.output?.bits], [6, 6, 10]);
  assert.deepEqual([fc1.weight?.bits, fc1.input?.bits, fc1.output?.bits], [3, 10, 10]);
  assert.deepEqual([fc2.weight?.bits, fc2.input?.bits, fc2.output?.bits], [6, 10, 6]);
  assert.deepEqual([conv.weight?.granularity, fc1.weight?.granularity], ["perChannel", "perTensor"]);
  assert.ok([conv, fc1, fc2].every(({ input, output }) => input?.symmetric && output?.symmetric));
});

test("a config list: exactly what the last matching entry names, with its scheme, axis and step", () => {
  assert.deepEqual(
    targets([
      { op_types: ["Linear"], quant_types: ["weight"], quant_bits: 8 },
      {
        op_names: ["fc2"],
        quant_types: ["weight", "output"],
        quant_bits: { weight: 2, output: 16 },
        quant_dtype: { weight: "uint", output: "int" },
        quant_scheme: { weight: "per_tensor_affine", output: "per_tensor_symmetric" },
        quant_start_step: 5,
      },
      { op_names: ["conv"], quant_types: ["weight"], quant_bits: 8, axis: -1 },
      { op_names: ["norm"], quant_types: ["weight", "input"], quant_bits: 8 },
    ]),
    {
      conv: { weight: { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 3 } },
      norm: { input: { bits: 8, signed: true, symmetric: false } },
      fc1: { weight: { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 0 } },
      fc2: {
        weight: { bits: 2, signed: false, symmetric: false, granularity: "perTensor", axis: 0 },
        output: { bits: 16, signed: true, symmetric: true },
        quantStartStep: 5,
      },
    },
  );
});

test("a config list that names what the state dict lacks is an error", () => {
  assert.throws(() => targets([{ op_names: ["fc3"], quant_types: ["weight"], quant_bits: 8 }]), {
    code: "invalid-config",
    message: 'test: config entry 0, "op_names": expected names of layers ("fc1", "fc2", "conv", "norm"), got "fc3"',
  });
});
