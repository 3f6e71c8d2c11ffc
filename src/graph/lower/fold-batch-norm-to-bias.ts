import { QuantError } from "../../core/errors.js";
import type { QuantParams } from "../../core/quant-params.js";
import { channelView, type Shape } from "../../core/shape.js";
import { type FixedPointMultiplier, fixedPointMultiplier } from "../../reference/fixed-point-multiplier.js";
import { unclampedCode } from "../../reference/quantize.js";
import { fl, roundTiesToEven } from "../../reference/rounding.js";
import {
  type Accumulators,
  countAccumulators,
  countDifferences,
  integerPlaces,
  largestDifference,
  placesOf,
} from "./code-places.js";

/** Parameters with one scale and zero point for the tensor. */
type TensorParams = QuantParams & { readonly scale: number; readonly zeroPoint: number };

/** A layer of integer weights, batch normalization behind it, and the grids around them. */
export interface NormalizedLayer {
  /** code · scale, one scale for the tensor or one per channel. */
  readonly weights: { readonly data: Int8Array; readonly params: Pick<QuantParams, "scale"> };
  readonly shape: Shape;
  /** Axis of the output channels. */
  readonly axis: number;
  /** [channels] each; absent: 0 (bias, beta), 1 (gamma). */
  readonly bias?: Float32Array;
  readonly gamma?: Float32Array;
  readonly beta?: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
  /** What enters. */
  readonly input: TensorParams;
  /** What leaves, behind batch normalization and clip; at most 8 bits. */
  readonly output: TensorParams;
  /** Whether what leaves is the sign, as signActivations gives it; then output is the grid of signs. Default false. */
  readonly sign?: boolean;
}

/** A channel some of whose codes the integers get wrong. */
export interface ChannelDifference {
  readonly channel: number;
  /** Accumulators whose code differs, of all that the channel's codes can give. */
  readonly different: number;
  readonly accumulators: number;
  /** How many codes apart they are at most. */
  readonly largest: number;
}

/** The integer layer: out = clamp(zy + requantize(bias[c] + Σ (x − zx) · data), qmin, qmax), M = sx · scale[c] / sy. */
export interface FoldedLayer {
  readonly data: Int8Array;
  readonly scale: Float32Array;
  readonly bias: Int32Array;
  /** Channels with differences that no bias nearby takes away; empty as a rule. */
  readonly differences: readonly ChannelDifference[];
  /** Channels whose codes were rounded to a larger scale, since their bias would not fit; nothing is said about their codes. */
  readonly refitted: readonly number[];
}

/** Bias units tried, nearest first. */
const TRIED = [0, 1, -1, 2, -2, 3, -3, 4, -4];
const LARGEST_BIAS = 2 ** 30;
const LARGEST_CODE = 127;

/**
 * Folds batch normalization into a factor and an int32 bias per channel, and compares all codes that can come out.
 *
 * In float, as the trained simulation computes it, with conv the layer's product, rounded once:
 *
 *     k = fl(gamma · fl(1 / fl(√fl(variance + epsilon)))),  y = fl(fl(fl(conv + bias)·k) + fl(beta − fl(mean·k)))
 *     code = clamp(rne(fl(y/sy)) + zy, qmin, qmax);  of signs: 1 where y ≥ 0, else −1
 *
 * In integers:
 *
 *     data[c] = sign(k) · code of the weight,  scale[c] = fl(sw·|k|),  bias[c] = rne((bias·k + beta − mean·k) / (sx·scale[c]))
 *
 * 1. Both are monotone in the accumulator, so each is described by where its code goes up: two lists of at most 255 places
 *    instead of millions of accumulators, and what lies between two places that differ is all that differs.
 * 2. Accumulators are the multiples of the codes' common divisor between the least and the greatest sum; perhaps more than
 *    real inputs reach, never fewer.
 * 3. Of the biases up to 4 units away, the nearest with the fewest differences is taken.
 * 4. A channel whose code never changes (gamma = 0 among them) gets a scale so small that its sum never counts, and its code
 *    as bias; where that bias would not fit, codes of 0.
 * 5. A bias beyond 2^30 raises the scale (docs/numerics.md), and codes are rounded to it.
 * 6. A unit of the bias is one of the codes' products. With codes of ±1 that is coarse: where codes differ then, codes of
 *    ±127 with a scale 127 times smaller are taken if fewer do.
 * 7. Signs need no factor: M is 1, and the bias puts 0 between the sums of both signs, which the clamp to [−1, 1] tells
 *    apart. For that sums must be 2 apart or more; see 6.
 *
 * Overflow: |bias| + |sum of products| < 2^31 for all inputs, else QuantError `unsupported`; RangeError for M ≥ 2^8; `non-finite`
 * where batch normalization is. `where` begins the messages.
 * Source: Zhou et al. 2016, §2.7; docs/numerics.md, "DoReFa in integers".
 */
export function foldBatchNormToBias(where: string, layer: NormalizedLayer): FoldedLayer {
  const folded = foldChannels(where, layer);
  const finer = folded.differences.length === 0 ? undefined : withLargerCodes(layer);
  if (finer === undefined) return folded;
  const refined = foldChannels(where, finer);
  return differencesIn(refined) < differencesIn(folded) ? refined : folded;
}

/** Fractions of the accumulators that differ, over all channels. */
function differencesIn({ differences }: FoldedLayer): number {
  return differences.reduce((sum, { different, accumulators }) => sum + different / accumulators, 0);
}

/** The same layer with codes as large as int8 holds; undefined where they are already, or where sums could overflow. */
function withLargerCodes(layer: NormalizedLayer): NormalizedLayer | undefined {
  const { data } = layer.weights;
  const { scale } = layer.weights.params;
  const largest = data.reduce((sofar, code) => Math.max(sofar, Math.abs(code)), 1);
  const times = Math.floor(LARGEST_CODE / largest);
  const sum = (data.length / layer.shape[layer.axis]) * LARGEST_CODE * (layer.input.qmax - layer.input.qmin);
  if (times === 1 || sum >= LARGEST_BIAS) return undefined;
  const smaller = typeof scale === "number" ? fl(scale / times) : scale.map((value) => value / times);
  return { ...layer, weights: { data: data.map((code) => code * times), params: { scale: smaller } } };
}

function foldChannels(where: string, layer: NormalizedLayer): FoldedLayer {
  const { weights, shape, axis, input, output } = layer;
  const { channels, inner } = channelView(shape, axis);
  const { params } = weights;
  const data = weights.data.slice();
  const scale = new Float32Array(channels);
  const bias = new Int32Array(channels);
  const differences: ChannelDifference[] = [];
  const refitted: number[] = [];
  const elements = Array.from({ length: channels }, (): number[] => []);
  for (let i = 0; i < data.length; i++) elements[Math.floor(i / inner) % channels].push(i);

  for (let c = 0; c < channels; c++) {
    const place = `${where}: channel ${c}`;
    const { k, shift } = factorOf(place, layer, c);
    const sign = k < 0 ? -1 : 1;
    const codes = elements[c].map((i) => sign * data[i]);
    const sums = sumsOf(codes, input);
    const ownBias = layer.bias?.[c] ?? 0;
    const weightScale = typeof params.scale === "number" ? params.scale : params.scale[c];
    const unit = input.scale * weightScale;
    const codeOf = (acc: number): number => {
      const y = fl(fl(fl(fl(sign * acc * unit) + ownBias) * k) + shift);
      if (layer.sign === true) return y >= 0 ? 1 : -1;
      return Math.max(output.qmin, Math.min(output.qmax, unclampedCode(y, output.scale, output.zeroPoint)));
    };
    const constant = codeOf(sums.least);
    const isConstant = constant === codeOf(sums.greatest);
    let folded: FoldedChannel;
    if (layer.sign === true) folded = signChannel(place, placesOf(codeOf, sums, output)[0], sums, layer);
    else if (isConstant) folded = constantChannel(place, constant, sums, layer);
    else folded = steppingChannel(place, (ownBias * k + shift) / input.scale, fl(weightScale * Math.abs(k)), layer);
    for (const [j, i] of elements[c].entries()) data[i] = roundTiesToEven(codes[j] * folded.factor);
    scale[c] = folded.scale;
    bias[c] = folded.bias;
    const own =
      folded.factor === 1
        ? sums
        : sumsOf(
            elements[c].map((i) => data[i]),
            input,
          );
    checkOverflow(place, own, folded.bias);
    if (folded.factor !== 0 && folded.factor !== 1) {
      refitted.push(c);
      continue;
    }
    // With codes of 0 there is one accumulator, whatever came in.
    const float = placesOf(folded.factor === 1 ? codeOf : () => constant, own, output);
    const best = bestBias(float, folded.bias, integerPlaces(folded.multiplier, own, output));
    bias[c] = best.bias;
    if (best.different > 0) {
      const accumulators = countAccumulators(own);
      const largest = largestDifference(float, best.places, accumulators);
      differences.push({ channel: c, different: best.different, accumulators, largest });
    }
  }
  return { data, scale, bias, differences, refitted };
}

/** How one channel became integers, before biases nearby are tried. */
interface FoldedChannel {
  readonly scale: number;
  readonly bias: number;
  readonly multiplier: FixedPointMultiplier;
  /** What the channel's codes are multiplied with: 1 as a rule, 0 where they do not matter, less than 1 where the bias is large. */
  readonly factor: number;
}

function factorOf(
  place: string,
  { gamma, beta, mean, variance, epsilon }: NormalizedLayer,
  c: number,
): { k: number; shift: number } {
  const sigma = fl(Math.sqrt(fl(variance[c] + fl(epsilon))));
  const k = fl((gamma?.[c] ?? 1) * fl(1 / sigma));
  const shift = fl((beta?.[c] ?? 0) - fl(mean[c] * k));
  if (Number.isFinite(k) && Number.isFinite(shift)) return { k, shift };
  throw new QuantError("non-finite", `${place}: expected finite batch normalization, got factor ${k}, offset ${shift}`);
}

function sumsOf(codes: readonly number[], { zeroPoint, qmin, qmax }: TensorParams): Accumulators {
  let [least, greatest, step] = [0, 0, 0];
  for (const code of codes) {
    const ends = [code * (qmin - zeroPoint), code * (qmax - zeroPoint)];
    least += Math.min(...ends);
    greatest += Math.max(...ends);
    step = commonDivisor(step, Math.abs(code));
  }
  return { least, greatest, step: Math.max(1, step) };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function checkOverflow(place: string, { least, greatest }: Accumulators, bias: number): void {
  const largest = Math.max(-least, greatest) + Math.abs(bias) + Math.max(...TRIED);
  if (largest < 2 ** 31) return;
  throw new QuantError("unsupported", `${place}: expected sums of products and bias below 2^31, got up to ${largest}`, {
    largest,
  });
}

/** A channel whose bias is `offset`, in parts of the input's scale, and whose scale is `fitting` if that bias fits. */
function steppingChannel(
  place: string,
  offset: number,
  fitting: number,
  { input, output }: NormalizedLayer,
): FoldedChannel {
  const scale = Math.max(fitting, fl(Math.abs(offset) / LARGEST_BIAS));
  return {
    scale,
    bias: roundTiesToEven(offset / scale),
    multiplier: fixedPointMultiplier(place, (input.scale * scale) / output.scale),
    factor: fitting / scale,
  };
}

function constantChannel(
  place: string,
  code: number,
  { least, greatest }: Accumulators,
  { input, output }: NormalizedLayer,
): FoldedChannel {
  const value = code - output.zeroPoint;
  // A quarter of a code for all that the sum can be.
  const unitsPerCode = 4 * Math.max(1, -least, greatest);
  const keepsCodes = Math.abs(value) * unitsPerCode <= LARGEST_BIAS;
  const units = keepsCodes ? unitsPerCode : 4;
  const scale = fl(output.scale / (input.scale * units));
  const multiplier = fixedPointMultiplier(place, (input.scale * scale) / output.scale);
  return { scale, bias: value * units, multiplier, factor: keepsCodes ? 1 : 0 };
}

/** A channel of signs, positive from the accumulator at `first` on. */
function signChannel(
  place: string,
  first: number,
  { least, step }: Accumulators,
  { input, output }: NormalizedLayer,
): FoldedChannel {
  const scale = fl(output.scale / input.scale);
  const multiplier = fixedPointMultiplier(place, (input.scale * scale) / output.scale);
  return { scale, bias: Math.floor(step / 2) - (least + first * step), multiplier, factor: 1 };
}

/** The bias nearby with the fewest differences, the nearest of these. */
function bestBias(float: readonly number[], fitting: number, placesWith: (bias: number) => number[]) {
  const candidates = TRIED.map((away) => {
    const places = placesWith(fitting + away);
    return { bias: fitting + away, places, different: countDifferences(float, places) };
  });
  return candidates.reduce((best, other) => (other.different < best.different ? other : best));
}
