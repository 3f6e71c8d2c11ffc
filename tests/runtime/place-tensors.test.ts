import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Lifetime, mostLive, overlap, placeTensors } from "../../src/runtime/place-tensors.js";

const block = (name: string, bytes: number, first: number, last: number): Lifetime => ({ name, bytes, first, last });

/** Blocks of 20 steps as networks have them: made at one step, most read at the next, some later. */
const lifetimes = fc
  .array(fc.record({ bytes: fc.integer({ min: 1, max: 5000 }), more: fc.constantFrom(1, 1, 1, 2, 3, 8) }), {
    minLength: 1,
    maxLength: 20,
  })
  .map((drawn) => drawn.map(({ bytes, more }, i) => block(`t${i}`, bytes, i, i + more)));

describe("placeTensors", () => {
  it("a chain takes as much as its two largest neighbours", () => {
    const chain = [block("a", 64, 0, 1), block("b", 128, 1, 2), block("c", 96, 2, 3), block("d", 32, 3, 4)];
    const { offsets, bytes } = placeTensors(chain);
    assert.equal(bytes, 128 + 96);
    assert.deepEqual(Object.fromEntries(offsets), { a: 128, b: 0, c: 128, d: 0 });
  });

  it("a residual lives beside the blocks that it skips", () => {
    const residual = [block("x", 100, 0, 3), block("a", 200, 1, 2), block("b", 200, 2, 3), block("y", 100, 3, 4)];
    assert.equal(placeTensors(residual).bytes, 112 + 208 + 208);
  });

  it("blocks that are needed at one time lie apart, at multiples of 16", () => {
    fc.assert(
      fc.property(lifetimes, (blocks) => {
        const { offsets, bytes } = placeTensors(blocks);
        const at = (name: string): number => offsets.get(name) as number;
        for (const [i, a] of blocks.entries()) {
          assert.equal(at(a.name) % 16, 0);
          assert.ok(at(a.name) + a.bytes <= bytes);
          for (const b of blocks.slice(i + 1)) {
            const apart = at(a.name) + a.bytes <= at(b.name) || at(b.name) + b.bytes <= at(a.name);
            assert.ok(!overlap(a, b) || apart, `${a.name} and ${b.name}`);
          }
        }
      }),
    );
  });

  it("takes at most 1.1 times the best overlap in nine of ten random cases, 1.35 times in all", () => {
    const ratios = fc
      .sample(lifetimes, { numRuns: 500, seed: 1 })
      .map((blocks) => placeTensors(blocks).bytes / mostLive(blocks))
      .sort((a, b) => a - b);
    assert.ok(ratios[450] <= 1.1, `nine of ten: ${ratios[450]}`);
    assert.ok(ratios[499] <= 1.35, `all: ${ratios[499]}`);
  });
});
