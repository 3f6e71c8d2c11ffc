import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blockStarts, channelBlocks, channelSums } from "../../src/runtime/channel-blocks.js";
import { BLOCK, BLOCK_RULE, BLOCK_WORDS } from "../../src/wasm/layer-words.js";

const output = { zeroPoint: 0, qmin: -128, qmax: 127 };
const blockOf = (shift: number[], least: number[], largest: number[]): Int32Array =>
  channelBlocks(
    { bias: new Int32Array(shift.length), least: Float64Array.from(least), largest: Float64Array.from(largest) },
    {
      ...output,
      rounding: "once",
      multiplier: new Int32Array(shift.length).fill(2 ** 30),
      shift: Int32Array.from(shift),
    },
  );

describe("channel blocks", () => {
  it("the last block takes the last eight channels", () => {
    assert.deepEqual(blockStarts(3), [0]);
    assert.deepEqual(blockStarts(8), [0]);
    assert.deepEqual(blockStarts(19), [0, 8, 11]);
  });

  it("the zero point is folded into the bias, and into the extreme sums", () => {
    // Channel 0: weights 2, −3 over codes −128…127 less 10; channel 1: 0, 1, bias 7.
    const weights = [2, -3, 0, 1];
    const sums = channelSums(2, Int32Array.of(0, 7), 10, (visit) => {
      for (const [i, w] of weights.entries()) visit(w, i >> 1);
    });
    assert.deepEqual([...sums.bias], [10, -3]);
    assert.deepEqual([...sums.least], [2 * -138 - 3 * 117, 7 - 138]);
    assert.deepEqual([...sums.largest], [2 * 117 - 3 * -138, 7 + 117]);
  });

  it("channels come to the largest shift of their block by powers of two", () => {
    const block = blockOf([2, 5, -1], [-1000, -1000, -1000], [1000, 1000, 1000]);
    assert.equal(block.length, BLOCK_WORDS);
    assert.equal(block[BLOCK.rule], BLOCK_RULE.integer);
    assert.equal(block[BLOCK.shift], 4);
    assert.deepEqual([...block.subarray(BLOCK.factor, BLOCK.factor + 4)], [8, 1, 64, 0]);
  });

  it("sums that would not fit take the exact rule: 2^31 / 2^10 on either side", () => {
    assert.equal(blockOf([15, 5], [0, 0], [2 ** 20, 2 ** 21 - 1])[BLOCK.rule], BLOCK_RULE.integer);
    assert.equal(blockOf([15, 5], [0, 0], [2 ** 20, 2 ** 21])[BLOCK.rule], BLOCK_RULE.exact);
    assert.equal(blockOf([15, 5], [0, -(2 ** 21)], [2 ** 20, 0])[BLOCK.rule], BLOCK_RULE.exact);
  });

  it("a channel whose sums all round to zero fits any shift, one whose largest is a tie does not", () => {
    // M = 2^(−1 − shift); a tie is a sum of 2^shift.
    const dead = blockOf([20, 0], [-(2 ** 20), 0], [2 ** 20 - 1, 2 ** 25]);
    assert.deepEqual([dead[BLOCK.rule], dead[BLOCK.multiplier], dead[BLOCK.factor]], [BLOCK_RULE.integer, 0, 0]);
    const alive = blockOf([20, 0], [-(2 ** 20), 0], [2 ** 20, 2 ** 25]);
    assert.equal(alive[BLOCK.rule], BLOCK_RULE.exact);
  });
});
