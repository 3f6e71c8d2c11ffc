import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWeightLayout, weightGrid } from "../../src/quantizers/weight-rule.js";

const PYTORCH = { bits: 8, granularity: "perChannel", layout: "pytorch" } as const;
const TFJS = { bits: 4, granularity: "perChannel", layout: "tfjs" } as const;

test("PyTorch: output channels are axis 0, of a transposed convolution axis 1", () => {
  const grid = { bits: 8, granularity: "perChannel" };
  assert.deepEqual(weightGrid("conv.weight", [16, 3, 3, 3], undefined, PYTORCH), { ...grid, axis: 0 });
  assert.deepEqual(weightGrid("fc.weight", [10, 64], "Linear", PYTORCH), { ...grid, axis: 0 });
  assert.deepEqual(weightGrid("depthwise.weight", [32, 1, 3, 3], "Conv2d", PYTORCH), { ...grid, axis: 0 });
  for (const type of ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]) {
    assert.deepEqual(weightGrid("up.weight", [16, 8, 2, 2], type, PYTORCH), { ...grid, axis: 1 });
  }
});

test("tfjs: output channels are last, of a transposed convolution last but one", () => {
  const grid = { bits: 4, granularity: "perChannel" };
  assert.deepEqual(weightGrid("conv2d/kernel", [3, 3, 8, 16], undefined, TFJS), { ...grid, axis: 3 });
  assert.deepEqual(weightGrid("dense/kernel", [64, 10], "Dense", TFJS), { ...grid, axis: 1 });
  assert.deepEqual(weightGrid("up/kernel", [2, 2, 8, 16], "Conv2DTranspose", TFJS), { ...grid, axis: 2 });
});

test("tfjs: a depthwise kernel has in·mult output channels, by its type or its Keras name", () => {
  const grid = { bits: 4, granularity: "perChannel" };
  const view = { ...grid, axis: 3, viewShape: [3, 3, 1, 16] };
  assert.deepEqual(weightGrid("dw/kernel", [3, 3, 8, 1], "DepthwiseConv2D", TFJS), { ...grid, axis: 2 });
  assert.deepEqual(weightGrid("dw/kernel", [3, 3, 8, 2], "DepthwiseConv2D", TFJS), view);
  assert.deepEqual(weightGrid("dw/depthwise_kernel", [3, 3, 8, 2], undefined, TFJS), view);
  assert.deepEqual(weightGrid("dw/pointwise_kernel", [1, 1, 8, 2], undefined, TFJS), { ...grid, axis: 3 });
});

test("below rank 2, and without elements, nothing is a weight, whatever its name", () => {
  for (const shape of [[], [64], [0, 8], [8, 0]]) {
    assert.equal(weightGrid("norm.weight", shape, undefined, PYTORCH), undefined);
    assert.equal(weightGrid("norm.weight", shape, undefined, TFJS), undefined);
  }
});

test("granularity is passed on", () => {
  const rule = { ...PYTORCH, granularity: "perTensor" } as const;
  assert.deepEqual(weightGrid("w", [2, 2], undefined, rule), { bits: 8, granularity: "perTensor", axis: 0 });
});

test("a rule may name an axis of the weight's own shape", () => {
  assert.equal(weightGrid("dw/depthwise_kernel", [3, 3, 8, 2], undefined, { ...TFJS, axis: -2 })?.axis, 2);
  assert.throws(() => weightGrid("w", [2, 2], undefined, { ...PYTORCH, axis: 2 }), {
    name: "RangeError",
    message: "w: expected an axis in [-2, 1] for rank 2, got 2",
  });
});

test("a wrong layout is an error that names the choices", () => {
  assert.throws(() => checkWeightLayout("compress", "nhwc" as never), {
    name: "TypeError",
    message: 'compress: expected layout "pytorch" or "tfjs", got nhwc',
  });
});
