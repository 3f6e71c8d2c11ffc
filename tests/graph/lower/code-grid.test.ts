import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type GridOptions, gridOf } from "../../../src/core/grid.js";
import { codeGrid, sameCodes } from "../../../src/graph/lower/code-grid.js";

describe("codeGrid", () => {
  const cases: readonly (readonly [string, GridOptions, number, object])[] = [
    ["8 bits signed: as it is", { bits: 8 }, -5, { scale: 0.5, zeroPoint: -5 }],
    ["8 bits unsigned: 128 lower", { bits: 8, signed: false }, 128, { scale: 0.5, zeroPoint: 0 }],
    ["4 bits signed: −8…7 become 112…127", { bits: 4 }, -3, { scale: 0.5, zeroPoint: 117, qmin: 112 }],
    ["4 bits unsigned: 0…15 become 112…127", { bits: 4, signed: false }, 0, { scale: 0.5, zeroPoint: 112, qmin: 112 }],
    ["1 bit unsigned: 0, 1 become 126, 127", { bits: 1, signed: false }, 0, { scale: 0.5, zeroPoint: 126, qmin: 126 }],
    ["7 bits signed", { bits: 7 }, 0, { scale: 0.5, zeroPoint: 64, qmin: 0 }],
  ];
  for (const [name, options, zeroPoint, expected] of cases) {
    it(name, () => {
      assert.deepEqual(codeGrid({ scale: 0.5, zeroPoint, ...gridOf("test", options) }), expected);
    });
  }

  it("the scale is a float32", () => {
    assert.equal(codeGrid({ scale: 0.1, zeroPoint: 0, qmin: -128, qmax: 127 }).scale, Math.fround(0.1));
  });

  it("every code means the same value, and none leaves int8", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.boolean(), fc.nat(), fc.nat(), (bits, signed, a, b) => {
        const { qmin, qmax } = gridOf("test", { bits, signed });
        const inGrid = (n: number): number => qmin + (n % (qmax - qmin + 1));
        const [code, zeroPoint] = [inGrid(a), inGrid(b)];
        const moved = codeGrid({ scale: 1, zeroPoint, qmin, qmax });
        const movedCode = code - zeroPoint + moved.zeroPoint;
        assert.ok(movedCode >= (moved.qmin ?? -128) && movedCode <= 127);
        assert.equal((moved.qmin ?? -128) - moved.zeroPoint, qmin - zeroPoint);
        assert.equal(127 - moved.zeroPoint, qmax - zeroPoint);
      }),
    );
  });
});

describe("sameCodes", () => {
  const grid = { scale: 0.5, zeroPoint: 117, qmin: 112 };
  it("equal scale, zero point and lower bound", () => {
    assert.equal(sameCodes(grid, { ...grid }), true);
    assert.equal(sameCodes(grid, { ...grid, scale: 0.25 }), false);
    assert.equal(sameCodes(grid, { ...grid, zeroPoint: 118 }), false);
    assert.equal(sameCodes(grid, { scale: 0.5, zeroPoint: 117 }), false);
  });
});
