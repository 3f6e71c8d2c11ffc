import assert from "node:assert/strict";
import { test } from "node:test";
import { axisSteps, innermostLoops, mergeLoops } from "../../src/runtime/strided-loops.js";
import { NO_BORDER, tensorLayout } from "../../src/runtime/tensor-layout.js";

test("axisSteps: bytes between indices, over borders", () => {
  const image = { dtype: "int8", shape: [2, 3, 4, 5], scale: 1, zeroPoint: 0 } as const;
  const steps = (border = NO_BORDER) =>
    axisSteps({ name: "x", shape: image.shape, layout: tensorLayout(image, border) });
  assert.deepEqual(steps(), [60, 20, 5, 1]);
  assert.deepEqual(steps({ top: 1, bottom: 0, left: 1, right: 2 }), [4 * 35, 35, 5, 1]);
  const floats = { dtype: "float32", shape: [2, 3] } as const;
  assert.deepEqual(axisSteps({ name: "x", shape: [2, 3], layout: tensorLayout(floats) }), [12, 4]);
});

test("mergeLoops joins what is contiguous in every tensor, and drops loops of one round", () => {
  const loops = [
    { size: 2, steps: [60, 70] },
    { size: 3, steps: [20, 20] },
    { size: 1, steps: [9, 9] },
    { size: 4, steps: [5, 5] },
    { size: 5, steps: [1, 1] },
  ];
  assert.deepEqual(mergeLoops(loops), [
    { size: 2, steps: [60, 70] },
    { size: 60, steps: [1, 1] },
  ]);
  const broadcast = [
    { size: 2, steps: [0, 6] },
    { size: 3, steps: [0, 2] },
    { size: 2, steps: [1, 1] },
  ];
  assert.deepEqual(mergeLoops(broadcast), [
    { size: 6, steps: [0, 2] },
    { size: 2, steps: [1, 1] },
  ]);
});

test("innermostLoops: loops that are missing are still, and those too many become offsets", () => {
  const still = { size: 1, steps: [0, 0] };
  const loop = { size: 4, steps: [2, 3] };
  assert.deepEqual(innermostLoops([loop], 2, 2), { loops: [still, loop], offsets: [[0, 0]] });
  const outer = [
    { size: 2, steps: [100, 200] },
    { size: 2, steps: [10, 20] },
  ];
  assert.deepEqual(innermostLoops([...outer, loop], 1, 2), {
    loops: [loop],
    offsets: [
      [0, 0],
      [10, 20],
      [100, 200],
      [110, 220],
    ],
  });
});
