import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SIGN_GRID } from "../../../src/core/unit-grid.js";
import { dorefaActivationParams } from "../../../src/graph/lower/dorefa-activation-params.js";
import { dorefaWeightCodes, type WeightCodes } from "../../../src/graph/lower/dorefa-weight-codes.js";
import {
  type FoldedLayer,
  foldBatchNormToBias,
  type NormalizedLayer,
} from "../../../src/graph/lower/fold-batch-norm-to-bias.js";
import { channelAffine } from "../../../src/reference/channel-affine.js";
import { dorefaActivations } from "../../../src/reference/dorefa-activations.js";
import { fixedPointMultiplier } from "../../../src/reference/fixed-point-multiplier.js";
import { roundOnce } from "../../../src/reference/requantize.js";
import { fl } from "../../../src/reference/rounding.js";
import { signActivations } from "../../../src/wasm/sign-activations.js";
import { noise } from "../../contracts/geometries.js";

const ROWS = 6;
const CHANNELS = 8;
const UNIT = { bound: 1, sign: false };

/** Weights with one scale. */
type DorefaLayer = NormalizedLayer & { readonly weights: WeightCodes };

interface Widths {
  readonly weight: number;
  readonly input: number;
  readonly output: number;
}

/** A layer [ROWS, CHANNELS] as training could leave it; gammas of both signs, one of 0. */
function layerOf({ weight, input, output }: Widths, seed: number): DorefaLayer {
  const gamma = noise(CHANNELS, seed + 1);
  gamma[3] = 0;
  return {
    weights: dorefaWeightCodes("test", noise(ROWS * CHANNELS, seed), weight),
    shape: [ROWS, CHANNELS],
    axis: 1,
    ...(seed % 2 === 1 && { bias: noise(CHANNELS, seed + 5) }),
    gamma,
    beta: noise(CHANNELS, seed + 2),
    mean: noise(CHANNELS, seed + 3),
    variance: noise(CHANNELS, seed + 4).map((value) => value ** 2 + 0.05),
    epsilon: 1e-3,
    input: dorefaActivationParams("test", input, UNIT),
    output: dorefaActivationParams("test", output, UNIT),
  };
}

const integersOf = ({ data }: { data: Int8Array }, c: number): number[] =>
  [...data].filter((_, i) => i % CHANNELS === c);

/** Code of the trained simulation for one float product: bias, batch norm, clip, round. */
function floatCode(layer: NormalizedLayer, c: number, conv: number): number {
  const sigma = fl(Math.sqrt(fl(layer.variance[c] + fl(layer.epsilon))));
  const k = fl((layer.gamma?.[c] ?? 1) * fl(1 / sigma));
  const shift = fl((layer.beta?.[c] ?? 0) - fl(layer.mean[c] * k));
  const y = Float32Array.of(conv + (layer.bias?.[c] ?? 0));
  channelAffine(y, Float32Array.of(k), Float32Array.of(shift), y);
  const { zeroPoint } = layer.output;
  dorefaActivations(y, Math.log2(layer.output.qmax - layer.output.qmin + 1), y);
  return Math.round(y[0] * (127 - zeroPoint)) + zeroPoint;
}

function integerCode(layer: NormalizedLayer, folded: FoldedLayer, c: number, acc: number): number {
  const { input, output } = layer;
  const M = fixedPointMultiplier("test", (input.scale * folded.scale[c]) / output.scale);
  const code = output.zeroPoint + roundOnce(acc + folded.bias[c], M);
  return Math.max(output.qmin, Math.min(output.qmax, code));
}

/** All sums Σ x · code, with x anything the input's grid holds. */
function sumsOf(codes: readonly number[], largest: number): Set<number> {
  let sums = new Set([0]);
  for (const code of codes) {
    const next = new Set<number>();
    for (const sum of sums) for (let x = 0; x <= largest; x++) next.add(sum + x * code);
    sums = next;
  }
  return sums;
}

// Few inputs and large factors, so that one unit of the bias is much: layers of real size have far fewer differences.
const WIDTHS: readonly (Widths & { expected: { sums: number; found: number } })[] = [
  { weight: 1, input: 1, output: 1, expected: { sums: 336, found: 0 } },
  { weight: 1, input: 2, output: 2, expected: { sums: 912, found: 0 } },
  { weight: 2, input: 2, output: 2, expected: { sums: 1674, found: 0 } },
  { weight: 4, input: 4, output: 4, expected: { sums: 36388, found: 9 } },
  { weight: 3, input: 1, output: 8, expected: { sums: 1023, found: 90 } },
  { weight: 7, input: 2, output: 5, expected: { sums: 46063, found: 175 } },
  { weight: 8, input: 3, output: 8, expected: { sums: 132690, found: 1689 } },
];

describe("foldBatchNormToBias", () => {
  for (const { expected, ...widths } of WIDTHS) {
    const { weight, input, output } = widths;
    it(`weights of ${weight}, inputs of ${input}, outputs of ${output} bits: every reachable sum, one by one`, () => {
      let [sums, found] = [0, 0];
      for (let seed = 0; seed < 6; seed++) {
        const layer = layerOf(widths, 100 * seed + seed);
        const folded = foldBatchNormToBias("test", layer);
        assert.deepEqual(folded.refitted, []);
        const unit = layer.input.scale * layer.weights.params.scale;
        for (let c = 0; c < CHANNELS; c++) {
          const sign = layer.gamma?.[c] === 0 ? 1 : Math.sign(layer.gamma?.[c] ?? 1);
          const codes = integersOf(layer.weights, c);
          const times = Math.abs(folded.data[0] / layer.weights.data[0]);
          assert.deepEqual(
            integersOf(folded, c),
            codes.map((code) => code * sign * times),
          );
          let [different, largest] = [0, 0];
          for (const sum of sumsOf(codes, 2 ** input - 1)) {
            sums++;
            const own = integerCode(layer, folded, c, sum * sign * times);
            const inFloat = floatCode(layer, c, fl(sum * unit));
            if (own !== inFloat) different++;
            largest = Math.max(largest, Math.abs(own - inFloat));
          }
          const listed = folded.differences.find(({ channel }) => channel === c) ?? { different: 0, largest: 0 };
          // The list is of all multiples of the codes' common divisor, of which not all may be reachable.
          assert.ok(different <= listed.different, `channel ${c}: ${different}, listed ${listed.different}`);
          assert.ok(largest <= listed.largest, `channel ${c}: ${largest} apart, listed ${listed.largest}`);
          found += different;
        }
      }
      assert.deepEqual({ sums, found }, expected);
    });
  }

  it("real inputs of a large layer: the codes of the float products", () => {
    const rows = 300;
    const w = noise(rows * CHANNELS, 77);
    const layer = {
      ...layerOf({ weight: 2, input: 2, output: 2 }, 7),
      weights: dorefaWeightCodes("test", w, 2),
      shape: [rows, CHANNELS],
      variance: new Float32Array(CHANNELS).fill(60),
    };
    const folded = foldBatchNormToBias("test", layer);
    assert.deepEqual(folded.differences, []);
    const x = noise(rows * 50, 8).map((value) => Math.floor(Math.abs(value) * 1000) % 4);
    const seen = new Set<number>();
    for (let at = 0; at < x.length; at += rows) {
      for (let c = 0; c < CHANNELS; c++) {
        let [acc, exact] = [0, 0];
        for (let i = 0; i < rows; i++) {
          acc += x[at + i] * folded.data[i * CHANNELS + c];
          exact += x[at + i] * layer.weights.data[i * CHANNELS + c];
        }
        const conv = fl(exact * layer.input.scale * layer.weights.params.scale);
        const own = integerCode(layer, folded, c, acc);
        assert.equal(own, floatCode(layer, c, conv));
        seen.add(own);
      }
    }
    assert.deepEqual([...seen].sort(), [124, 125, 126, 127]);
  });

  it("codes of ±1 become ±127 where their unit is too coarse for the bias", () => {
    const rows = 100;
    const layer: DorefaLayer = {
      ...layerOf({ weight: 1, input: 2, output: 2 }, 7),
      weights: dorefaWeightCodes("test", noise(rows * CHANNELS, 77), 1),
      shape: [rows, CHANNELS],
      variance: new Float32Array(CHANNELS).fill(20),
    };
    const folded = foldBatchNormToBias("test", layer);
    assert.deepEqual([new Set(folded.data), folded.differences], [new Set([127, -127]), []]);
    assert.deepEqual(layer.weights.data, dorefaWeightCodes("test", noise(rows * CHANNELS, 77), 1).data);
    const unit = layer.input.scale * layer.weights.params.scale;
    let largeEnough = 0;
    for (let c = 0; c < CHANNELS; c++) {
      for (let acc = -150; acc <= 150; acc++) {
        const sign = layer.gamma?.[c] === 0 ? 1 : Math.sign(layer.gamma?.[c] ?? 1);
        const own = integerCode(layer, folded, c, 127 * sign * acc);
        assert.equal(own, floatCode(layer, c, fl(acc * unit)), `channel ${c}, ${acc}`);
        if (own !== 124 && own !== 127) largeEnough++;
      }
    }
    assert.ok(largeEnough > 100, `${largeEnough}`);
  });

  it("signs in and out, weights of 1 bit: ±127 codes, no sum with another sign", () => {
    let found = 0;
    for (let seed = 0; seed < 20; seed++) {
      const layer: DorefaLayer = {
        ...layerOf({ weight: 1, input: 1, output: 1 }, seed),
        input: SIGN_GRID,
        output: SIGN_GRID,
        sign: true,
      };
      const folded = foldBatchNormToBias("test", layer);
      assert.deepEqual(folded.differences, []);
      const unit = layer.weights.params.scale;
      for (let c = 0; c < CHANNELS; c++) {
        const sigma = fl(Math.sqrt(fl(layer.variance[c] + fl(layer.epsilon))));
        const k = fl((layer.gamma?.[c] ?? 1) * fl(1 / sigma));
        const shift = fl((layer.beta?.[c] ?? 0) - fl(layer.mean[c] * k));
        const times = folded.data[c] / layer.weights.data[c];
        for (let sum = -ROWS; sum <= ROWS; sum++) {
          const y = Float32Array.of(sum * unit);
          y[0] += layer.bias?.[c] ?? 0;
          channelAffine(y, Float32Array.of(k), Float32Array.of(shift), y);
          const own = integerCode(layer, folded, c, sum * times);
          assert.equal(own, signActivations(y)[0], `channel ${c}, sum ${sum}`);
          found += own;
        }
      }
    }
    assert.ok(Math.abs(found) < 20 * CHANNELS * ROWS, `both signs: ${found}`);
  });

  const one = (change: Partial<DorefaLayer>): DorefaLayer => ({
    weights: dorefaWeightCodes("test", Float32Array.of(1, -1), 2),
    shape: [2, 1],
    axis: 1,
    mean: Float32Array.of(0),
    variance: Float32Array.of(1),
    epsilon: 0,
    input: dorefaActivationParams("test", 2, UNIT),
    output: dorefaActivationParams("test", 2, UNIT),
    ...change,
  });

  it("by hand: no batch norm to speak of, and a negative factor that flips the codes", () => {
    const scale = Math.fround(1 / 126);
    assert.deepEqual(foldBatchNormToBias("test", one({ beta: Float32Array.of(0.4) })), {
      data: Int8Array.of(126, -126),
      scale: Float32Array.of(scale),
      bias: Int32Array.of(Math.round(0.4 * 3 * 126)),
      differences: [],
      refitted: [],
    });
    const flipped = foldBatchNormToBias("test", one({ gamma: Float32Array.of(-2), beta: Float32Array.of(0.4) }));
    assert.deepEqual(flipped.data, Int8Array.of(-126, 126));
    assert.deepEqual([flipped.scale[0], flipped.bias[0]], [Math.fround(2 * scale), Math.round((0.4 * 3 * 126) / 2)]);
  });

  it("gamma 0: the codes stay, too small to count, and the bias is the code", () => {
    for (const [beta, code] of [
      [0.4, 125],
      [-7, 124],
      [9, 127],
    ]) {
      const layer = one({ gamma: Float32Array.of(0), beta: Float32Array.of(beta) });
      const folded = foldBatchNormToBias("test", layer);
      assert.deepEqual([folded.data, folded.differences], [Int8Array.of(126, -126), []]);
      for (const acc of [-378, -126, 0, 126, 378]) assert.equal(integerCode(layer, folded, 0, acc), code);
    }
  });

  it("a constant channel of 8 bits whose sums are too large for that: codes of 0", () => {
    const rows = 9000;
    const layer = one({
      weights: dorefaWeightCodes("test", noise(rows, 1), 7),
      shape: [rows, 1],
      gamma: Float32Array.of(0),
      beta: Float32Array.of(0.71),
      input: dorefaActivationParams("test", 8, UNIT),
      output: dorefaActivationParams("test", 8, UNIT),
    });
    const folded = foldBatchNormToBias("test", layer);
    assert.deepEqual([new Set(folded.data), folded.differences, folded.refitted], [new Set([0]), [], []]);
    assert.equal(integerCode(layer, folded, 0, 0), -128 + Math.round(0.71 * 255));
  });

  it("a bias beyond 2^30 raises the scale, and the channel is listed", () => {
    const rows = 9000;
    const layer = one({
      weights: dorefaWeightCodes("test", noise(rows, 1), 7),
      shape: [rows, 1],
      gamma: Float32Array.of(1.5e-5),
      beta: Float32Array.of(0.5 / 255 + 0.5),
      input: dorefaActivationParams("test", 8, UNIT),
      output: dorefaActivationParams("test", 8, UNIT),
    });
    const { data, scale, bias, refitted } = foldBatchNormToBias("test", layer);
    assert.deepEqual(refitted, [0]);
    assert.ok(Math.abs(bias[0]) <= 2 ** 30 && Math.abs(bias[0]) > 2 ** 29, `${bias[0]}`);
    const factor = (layer.weights.params.scale * 1.5e-5) / scale[0];
    assert.ok(factor < 1);
    for (const [i, code] of data.entries()) assert.ok(Math.abs(code - layer.weights.data[i] * factor) <= 0.5);
  });

  it("a tie that no bias mends is listed: the code of the float rounds to even, the integer's up", () => {
    // y is acc/2 of a code: every odd sum is a tie.
    const layer = one({
      weights: { data: Int8Array.of(1, 1, 1, 1), params: { scale: 1, zeroPoint: 0, qmin: -127, qmax: 127 } },
      shape: [4, 1],
      gamma: Float32Array.of(0.5),
      input: { scale: 1, zeroPoint: 126, qmin: 126, qmax: 127 },
      output: { scale: 1, zeroPoint: 120, qmin: 120, qmax: 127 },
    });
    const { differences, bias } = foldBatchNormToBias("test", layer);
    // Sums 0…4 have codes 0, 0 (½), 1, 2 (1½), 2 in float; 0, 1, 1, 2, 2 in integers.
    assert.deepEqual([differences, bias[0]], [[{ channel: 0, different: 1, accumulators: 5, largest: 1 }], 0]);
  });

  it("what cannot be: sums beyond int32, factors beyond 2^8, numbers that are none", () => {
    const rows = 70_000;
    const large = one({
      weights: { data: new Int8Array(rows).fill(127), params: { scale: 1, zeroPoint: 0, qmin: -127, qmax: 127 } },
      shape: [rows, 1],
      gamma: Float32Array.of(1e-9),
      input: dorefaActivationParams("test", 8, UNIT),
    });
    assert.throws(() => foldBatchNormToBias("here", large), {
      code: "unsupported",
      message: /^here: channel 0: expected sums of products and bias below 2\^31, got up to \d+$/,
    });
    assert.throws(() => foldBatchNormToBias("here", one({ gamma: Float32Array.of(1e6) })), {
      name: "RangeError",
      message: /^here: channel 0: expected a multiplier in \[0, 256\), got \d+\.\d+; the scales do not fit each other$/,
    });
    assert.throws(() => foldBatchNormToBias("here", one({ gamma: Float32Array.of(Number.NaN) })), {
      code: "non-finite",
      message: "here: channel 0: expected finite batch normalization, got factor NaN, offset NaN",
    });
    assert.throws(() => foldBatchNormToBias("here", one({ variance: Float32Array.of(0) })), {
      code: "non-finite",
      message: "here: channel 0: expected finite batch normalization, got factor Infinity, offset NaN",
    });
  });
});
