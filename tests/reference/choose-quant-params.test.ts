import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { GridOptions } from "../../src/core/grid.js";
import { chooseQuantParams } from "../../src/reference/choose-quant-params.js";
import { fl } from "../../src/reference/rounding.js";

const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const symmetric = { bits: 8, narrowRange: true, symmetric: true };

describe("chooseQuantParams", () => {
  it("affine: scale fl((max − min)/(qmax − qmin)), zero point from the rounded scale", () => {
    assert.deepEqual(chooseQuantParams({ min: -1, max: 3 }, { bits: 8 }), {
      scale: fl(4 / 255),
      zeroPoint: -64,
      qmin: -128,
      qmax: 127,
    });
    assert.deepEqual(chooseQuantParams({ min: -1, max: 3 }, { bits: 8, signed: false }), {
      scale: fl(4 / 255),
      zeroPoint: 64,
      qmin: 0,
      qmax: 255,
    });
  });

  it("the zero point of a tie goes to the even neighbour", () => {
    // −min/scale = 0.5 and 1.5 steps above qmin = 0.
    assert.equal(chooseQuantParams({ min: -0.5, max: 14.5 }, { bits: 4, signed: false }).zeroPoint, 0);
    assert.equal(chooseQuantParams({ min: -1.5, max: 13.5 }, { bits: 4, signed: false }).zeroPoint, 2);
  });

  it("a range is widened to contain 0", () => {
    const options = { bits: 8, signed: false };
    assert.deepEqual(chooseQuantParams({ min: 2, max: 5 }, options), chooseQuantParams({ min: 0, max: 5 }, options));
    assert.deepEqual(chooseQuantParams({ min: -5, max: -2 }, options), chooseQuantParams({ min: -5, max: 0 }, options));
    assert.equal(chooseQuantParams({ min: -5, max: -2 }, options).zeroPoint, 255);
  });

  it("symmetric signed: the larger end over qmax, narrow or not; zero point 0", () => {
    for (const narrowRange of [true, false]) {
      const params = chooseQuantParams({ min: -2, max: 1 }, { ...symmetric, narrowRange });
      assert.deepEqual(params, { scale: fl(2 / 127), zeroPoint: 0, qmin: narrowRange ? -127 : -128, qmax: 127 });
    }
  });

  it("symmetric unsigned: the larger end over 2^(bits−1), which is the zero point", () => {
    const params = chooseQuantParams({ min: -2, max: 1 }, { bits: 8, signed: false, symmetric: true });
    assert.deepEqual(params, { scale: fl(2 / 128), zeroPoint: 128, qmin: 0, qmax: 255 });
    const oneBit = chooseQuantParams({ min: -2, max: 1 }, { bits: 1, signed: false, symmetric: true });
    assert.deepEqual(oneBit, { scale: 2, zeroPoint: 1, qmin: 0, qmax: 1 });
  });

  it("a range of only 0 gives scale 1 and zero point 0 clamped into the grid, whatever the grid", () => {
    const grids: GridOptions[] = [symmetric, { bits: 1 }, { bits: 8 }, { bits: 8, signed: false, symmetric: true }];
    for (const options of grids) {
      for (const [min, max] of [
        [0, 0],
        [-0, 0],
      ]) {
        const { scale, zeroPoint } = chooseQuantParams({ min, max }, options);
        assert.deepEqual([scale, zeroPoint], [1, 0]);
      }
    }
  });

  it("a scale below the smallest normal float32 becomes it", () => {
    assert.equal(chooseQuantParams({ min: 0, max: 2 ** -140 }, symmetric).scale, SMALLEST_NORMAL);
    assert.equal(chooseQuantParams({ min: 0, max: 127 * SMALLEST_NORMAL }, symmetric).scale, SMALLEST_NORMAL);
    const { zeroPoint } = chooseQuantParams({ min: -(2 ** -140), max: 0 }, { bits: 8, signed: false });
    assert.equal(zeroPoint, 0, "the zero point comes from the scale that is used");
  });

  it("a scale above the largest float32 is a RangeError; the largest range that fits is fine", () => {
    assert.equal(chooseQuantParams({ min: -LARGEST, max: LARGEST }, { bits: 2 }).scale, fl((2 * LARGEST) / 3));
    assert.equal(chooseQuantParams({ min: 0, max: LARGEST }, { bits: 1 }).scale, LARGEST);
    assert.throws(() => chooseQuantParams({ min: -LARGEST, max: LARGEST }, { bits: 1 }), {
      name: "RangeError",
      message: `chooseQuantParams: expected a range whose scale fits float32, got [${-LARGEST}, ${LARGEST}]`,
    });
  });

  it("per channel: arrays in, arrays out, errors that name the channel", () => {
    const params = chooseQuantParams({ min: Float32Array.of(-1, 0), max: Float32Array.of(1, 0) }, symmetric);
    assert.deepEqual(params, {
      scale: Float32Array.of(1 / 127, 1),
      zeroPoint: Int32Array.of(0, 0),
      qmin: -127,
      qmax: 127,
    });
    const broken = { min: Float32Array.of(0, Number.NaN), max: Float32Array.of(1, 1) };
    assert.throws(() => chooseQuantParams(broken, symmetric), {
      name: "QuantError",
      code: "non-finite",
      message: "chooseQuantParams, channel 1: expected a finite range, got [NaN, 1]",
    });
  });

  it("refuses bad ranges and grids, in whole messages", () => {
    const cases: [Parameters<typeof chooseQuantParams>, string, string][] = [
      [[{ min: 1, max: 0 }, { bits: 8 }], "RangeError", "chooseQuantParams: expected min ≤ max, got [1, 0]"],
      [
        [{ min: 0, max: Number.POSITIVE_INFINITY }, { bits: 8 }],
        "QuantError",
        "chooseQuantParams: expected a finite range, got [0, Infinity]",
      ],
      [
        [{ min: 0, max: new Float32Array(1) }, { bits: 8 }],
        "TypeError",
        "chooseQuantParams: expected min and max as numbers or as two Float32Arrays of one length",
      ],
      [
        [{ min: new Float32Array(2), max: new Float32Array(1) }, { bits: 8 }],
        "TypeError",
        "chooseQuantParams: expected min and max as numbers or as two Float32Arrays of one length",
      ],
      [[{ min: 0, max: 1 }, { bits: 0 }], "RangeError", "chooseQuantParams: expected bits in 1…16, got 0"],
      [[{ min: 0, max: 1 }, { bits: 17 }], "RangeError", "chooseQuantParams: expected bits in 1…16, got 17"],
      [[{ min: 0, max: 1 }, { bits: 2.5 }], "RangeError", "chooseQuantParams: expected bits in 1…16, got 2.5"],
      [
        [
          { min: 0, max: 1 },
          { bits: 8, signed: false, narrowRange: true },
        ],
        "RangeError",
        "chooseQuantParams: expected narrowRange only on a signed grid, got an unsigned one",
      ],
      [
        [
          { min: 0, max: 1 },
          { bits: 1, symmetric: true },
        ],
        "RangeError",
        "chooseQuantParams: expected bits ≥ 2 for a narrow or symmetric signed grid, got 1; 1-bit weights are DoReFa's",
      ],
    ];
    for (const [args, name, message] of cases) assert.throws(() => chooseQuantParams(...args), { name, message });
    assert.throws(() => chooseQuantParams({} as never, { bits: 8 }), {
      name: "TypeError",
      message: "chooseQuantParams: expected min and max as numbers or as two Float32Arrays of one length",
    });
  });

  it("0 is on the grid and the ends are within half a step of it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e30, max: 1e30, noNaN: true }),
        fc.double({ min: 0, max: 1e30, noNaN: true }),
        fc.integer({ min: 2, max: 16 }),
        fc.boolean(),
        (min, extent, bits, signed) => {
          const max = min + extent;
          const { scale, zeroPoint, qmin, qmax } = chooseQuantParams({ min, max }, { bits, signed }) as {
            scale: number;
            zeroPoint: number;
            qmin: number;
            qmax: number;
          };
          assert.ok(zeroPoint >= qmin && zeroPoint <= qmax && scale >= SMALLEST_NORMAL);
          // One rounding of the zero point and one of the scale, times at most 65535 steps.
          const slack = scale * (0.5 + 2 ** -24 * 65536);
          assert.ok((qmin - zeroPoint) * scale <= Math.min(min, 0) + slack);
          assert.ok((qmax - zeroPoint) * scale >= Math.max(max, 0) - slack);
        },
      ),
    );
  });
});
