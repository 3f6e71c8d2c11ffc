import assert from "node:assert/strict";
import test from "node:test";
import { QATQuantizer } from "../../src/arrays/qat-quantizer.js";
import type { QATState } from "../../src/arrays/training-state.js";

const weights = {
  "fc.weight": { data: Float32Array.of(1, -2), shape: [1, 2] },
  "norm.weight": { data: Float32Array.of(1), shape: [1] },
};

test("a state to go on from: each thing wrong with it is named", () => {
  const range = { count: 1, min: [-1], max: [1] };
  for (const [resume, message] of [
    [null, "resume: expected what toJSON() gave, got null"],
    [{ step: -1, ranges: {} }, "resume.step: expected an integer ≥ 0, got -1"],
    [{ step: 0 }, "resume.ranges: expected ranges by layer, got undefined"],
    [{ step: 0, ranges: { fc: [] } }, 'resume.ranges["fc"]: expected ranges of input and output, got []'],
    [
      { step: 0, ranges: { fc2: { input: range } } },
      'resume.ranges["fc2"].input: expected a range of an activation that is quantized, got { count, min, max }',
    ],
    [
      { step: 0, ranges: { norm: { output: range } } },
      'resume.ranges["norm"].output: expected a range of an activation that is quantized, got { count, min, max }',
    ],
    [
      { step: 0, ranges: { fc: { weight: range } } },
      'resume.ranges["fc"].weight: expected a range of an activation that is quantized, got { count, min, max }',
    ],
    ...[
      { count: 1, min: [], max: [] },
      { count: 0, min: [0], max: [1] },
      { count: 0.5, min: [0], max: [1] },
      { count: 1, min: [2], max: [1] },
      { count: 1, min: [0], max: [null] },
      { count: 1, min: 0, max: 1 },
    ].map(
      (input) =>
        [
          { step: 0, ranges: { fc: { input } } },
          'resume.ranges["fc"].input: expected { count, min, max } with one finite range, got { count, min, max }',
        ] as const,
    ),
  ] as const) {
    assert.throws(() => new QATQuantizer().compress(weights, { resume: resume as unknown as QATState }), {
      code: "invalid-config",
      message: `QATQuantizer.compress: ${message}`,
    });
  }
});

test("a state without ranges begins at its step", () => {
  const qat = new QATQuantizer().compress(weights, { resume: { step: 7, ranges: {} } });
  qat.step();
  const empty = { count: 0, min: [], max: [] };
  assert.deepEqual(qat.toJSON(), { step: 8, ranges: { fc: { input: empty, output: empty } } });
});
