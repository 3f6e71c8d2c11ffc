import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fl, roundTiesToEven } from "../../src/reference/rounding.js";

describe("roundTiesToEven", () => {
  it("sends ties to the even neighbour", () => {
    const ties = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 2 ** 22 + 0.5, 2 ** 22 + 1.5];
    assert.deepEqual(ties.map(roundTiesToEven), [-4, -2, -2, 0, 0, 2, 2, 4, 2 ** 22, 2 ** 22 + 2]);
  });

  it("never gives −0", () => {
    for (const x of [-0, -0.5, -0.1, -(2 ** -149)]) assert.ok(Object.is(roundTiesToEven(x), 0), `${x}`);
  });

  it("keeps NaN, infinities and floats beyond 2^51, which are integers", () => {
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 51, -(2 ** 60), 3.4e38]) {
      assert.ok(Object.is(roundTiesToEven(x), x), `${x}`);
    }
  });

  it("is within half of every float32, and even where it is half away", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const r = roundTiesToEven(x);
        assert.ok(Number.isInteger(r) && Math.abs(x - r) <= 0.5);
        if (Math.abs(x - r) === 0.5) assert.equal(Math.abs(r % 2), 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("fl", () => {
  it("rounds to float32, ties to even", () => {
    assert.equal(fl(1 + 2 ** -24), 1);
    assert.equal(fl(1 + 3 * 2 ** -24), 1 + 2 ** -22);
  });
});
