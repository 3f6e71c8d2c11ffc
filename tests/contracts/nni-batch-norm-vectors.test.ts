import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { fakeQuantize, fakeQuantizeGradient } from "../../src/index.js";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { EdgeLayer } from "../../src/tfjs/simulated/edge-layer.js";
import type { WeightedLayer } from "../../src/tfjs/simulated/weighted-layer.js";
import { floats, readVectors, type VectorCase, type VectorNumber } from "./vector-file.js";

// Life cycles of NNI's QAT quantizers with a batch norm that is folded in training: Conv2d(2, 3, 3) – BatchNorm2d(3) – ReLU –
// flatten – Linear(12, 2) on images 4 × 4, loss mean((y − target)²), plain SGD.
//
// NNI updates the moving moments first, folds with them, and does not correct the output to the batch's moments: what
// QATQuantizer does from freezeBatchNormStep on, with moments that stand still. With NNI's moments and grids, the library's fold
// and ops give NNI's numbers in every step; where the grids are the same too, QATQuantizer itself does.

/** What NNI does otherwise; each is asserted by its cause and counted. */
interface Counts {
  /** v2: from the second step on, the moments are those of the convolution with folded and rounded weights, so that the moving
   * variance goes to the root of the true one. */
  foldedTwice: number;
  /** The moving variance takes the unbiased variance of the batch, as PyTorch's batch norm does; tfjs's the biased one. */
  unbiased: number;
  /** v3: from the second step on, the range of the weights is a moving average. */
  averagedWeights: number;
  /** v2: unsigned symmetric grids have 127.5 steps on either side. */
  halfSteps: number;
  /** v3: signed affine grids are narrow, 254 steps. */
  narrow: number;
  /** Values: rounding comes after the zero point is added, so that its parity decides ties. */
  ties: number;
  /** v2: the largest weight lies 127.5 steps from 0, where the last bit of the folded weight decides. */
  lastBit: number;
  /** Values without a gradient: v3 asks whether the code lies on the grid before rounding. */
  unroundedEnds: number;
  /** Values with a gradient, for which the codes before clamping are ties. */
  tiedEnds: number;
}

const NONE: Counts = {
  foldedTwice: 0,
  unbiased: 0,
  averagedWeights: 0,
  halfSteps: 0,
  narrow: 0,
  ties: 0,
  lastBit: 0,
  unroundedEnds: 0,
  tiedEnds: 0,
};

interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** Grids of a step, by what is rounded; absent: not rounded. */
type Grids = Partial<Readonly<Record<"input" | "weight" | "convOutput" | "reluOutput", Grid>>>;

interface Step {
  readonly x: VectorNumber[];
  readonly target: VectorNumber[];
  readonly y: VectorNumber[];
  readonly loss: VectorNumber;
  readonly weight: { readonly conv: VectorNumber[] };
  readonly weight_grad: { readonly conv: VectorNumber[] };
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly bn: { readonly running_mean: number[]; readonly running_var: number[] };
}

interface Case extends VectorCase {
  readonly config_list: ConfigList;
  readonly lr: number;
  readonly init: Readonly<Record<string, { readonly shape: number[]; readonly data: VectorNumber[] }>>;
  readonly steps: readonly Step[];
  readonly eval: { readonly x: VectorNumber[]; readonly y: VectorNumber[] };
}

const CASES = [...readVectors<Case>("nni_lifecycle_v2").cases, ...readVectors<Case>("nni_lifecycle_v3").cases].filter(
  ({ name }) => /^qat_conv(bn|_bn)/.test(name),
);

const [EPSILON, MOMENTUM] = [1e-5, 0.9];
/** Places of the convolution's output per channel in a batch of 2. */
const PLACES = 8;

before(() => tf.setBackend("cpu"));

/** Within the tolerance of the vectors: rtol 1e-5, atol 1e-6. */
function assertClose(actual: tf.Tensor | ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const values = actual instanceof tf.Tensor ? actual.dataSync() : actual;
  assert.equal(values.length, expected.length, what);
  Array.from(expected).forEach((value, i) => {
    const apart = Math.abs(values[i] - value);
    assert.ok(apart <= 1e-6 + 1e-5 * Math.abs(value), `${what}[${i}]: expected ${value}, got ${values[i]}`);
  });
}

const nhwc = (values: VectorNumber[]): tf.Tensor4D =>
  tf.transpose(tf.tensor4d(floats(values), [values.length / 32, 2, 4, 4]), [0, 2, 3, 1]);
const hwio = (values: VectorNumber[]): tf.Tensor4D =>
  tf.transpose(tf.tensor4d(floats(values), [3, 2, 3, 3]), [2, 3, 1, 0]);
const oihw = (kernel: tf.Tensor): tf.Tensor => tf.transpose(kernel, [3, 2, 0, 1]);
const rows = (values: VectorNumber[]): tf.Tensor2D => tf.tensor2d(floats(values), [values.length / 2, 2]);

/** The net as a float model with a case's first weights. */
function floatModel({ init }: Case): tf.LayersModel {
  const x = tf.input({ shape: [4, 4, 2], name: "image" });
  const conv = tf.layers.conv2d({ name: "conv", filters: 3, kernelSize: 3, useBias: "conv.bias" in init });
  const norm = tf.layers.batchNormalization({ name: "bn", epsilon: EPSILON, momentum: MOMENTUM });
  const steps = [conv, norm, tf.layers.reLU({ name: "relu" }), tf.layers.flatten({ name: "flat" })];
  const fc = tf.layers.dense({ name: "fc", units: 2 });
  const y = [...steps, fc].reduce<tf.SymbolicTensor>((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
  const vector = (name: string): tf.Tensor1D => tf.tensor1d(floats(init[name].data));
  conv.setWeights([hwio(init["conv.weight"].data), ...("conv.bias" in init ? [vector("conv.bias")] : [])]);
  norm.setWeights(["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"].map(vector));
  // PyTorch flattens channels first.
  const features = tf.transpose(tf.tensor4d(floats(init["fc.weight"].data), [2, 3, 2, 2]), [2, 3, 1, 0]);
  fc.setWeights([features.reshape([12, 2]), vector("fc.bias")]);
  return tf.model({ inputs: x, outputs: y });
}

/** The simulated model's layer of the convolution and its variables by role. */
function partsOf(simulated: tf.LayersModel) {
  const conv = simulated.getLayer("conv") as WeightedLayer;
  const fc = simulated.getLayer("fc");
  const variable = (layer: tf.layers.Layer, role: string) =>
    layer.weights.find(({ originalName }) => originalName.endsWith(`/${role}`));
  return { conv, fc, variable };
}

function setMoments(simulated: tf.LayersModel, { running_mean, running_var }: Step["bn"]): void {
  const { conv, variable } = partsOf(simulated);
  variable(conv, "moving_mean")?.write(tf.tensor1d(running_mean));
  variable(conv, "moving_variance")?.write(tf.tensor1d(running_var));
}

/** Loss and gradients of one step, and the step itself. */
function descend(simulated: tf.LayersModel, forward: () => tf.Tensor, { target }: Step, lr: number) {
  const variables = simulated.trainableWeights.map((weight) => weight.read() as tf.Variable);
  let y: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    y = tf.keep(forward());
    return tf.losses.meanSquaredError(rows(target), y) as tf.Scalar;
  }, variables);
  for (const variable of variables) variable.assign(tf.sub(variable, tf.mul(grads[variable.name], lr)));
  const { conv, variable } = partsOf(simulated);
  const kernel = variable(conv, "kernel")?.read() as tf.Variable;
  return { y: y as tf.Tensor, loss: value.dataSync(), kernel, gradient: grads[kernel.name] };
}

function assertStep(step: Step, { y, loss, kernel, gradient }: ReturnType<typeof descend>, what: string): void {
  assertClose(y, floats(step.y), `${what}: y`);
  assertClose(loss, floats([step.loss]), `${what}: loss`);
  assertClose(oihw(gradient), floats(step.weight_grad.conv), `${what}: gradient`);
  assertClose(oihw(kernel), floats(step.weight.conv), `${what}: weights`);
}

/** NNI's grids of a step, in either version's words. */
function gridsOf({ state }: Step): Grids {
  const old = (layer: string, target: string): Grid | undefined => {
    const scale = state[layer]?.[`${target}_scale`] as number[] | undefined;
    const zeroPoint = state[layer]?.[`${target}_zero_point`] as number[] | undefined;
    return scale && zeroPoint && { scale: scale[0], zeroPoint: zeroPoint[0], qmin: 0, qmax: 255 };
  };
  const recent = (target: string): Grid | undefined => {
    const found = state.conv[target] as
      | { scale: number[]; zero_point: number[]; qmin: number; qmax: number }
      | undefined;
    return found && { scale: found.scale[0], zeroPoint: found.zero_point[0], qmin: found.qmin, qmax: found.qmax };
  };
  const grids = {
    input: old("conv", "input") ?? recent("_input_0"),
    weight: old("conv", "weight") ?? recent("weight"),
    convOutput: recent("_output_0"),
    reluOutput: old("relu", "output"),
  };
  return Object.fromEntries(Object.entries(grids).filter(([, grid]) => grid !== undefined));
}

/** Ranges of a tensor, with 0. */
function rangeOf(x: tf.Tensor): [number, number] {
  return [Math.min(0, tf.min(x).dataSync()[0]), Math.max(0, tf.max(x).dataSync()[0])];
}

/** NNI's rounding: ties to even after the zero point is added. Its gradient asks for the code before clamping, v3 before rounding. */
function roundAsNni<T extends tf.Tensor>(x: T, grid: Grid, recent: boolean, count: Counts): T {
  const { scale, zeroPoint, qmin, qmax } = grid;
  const outside = (code: tf.Tensor) => tf.logicalOr(tf.less(code, qmin), tf.greater(code, qmax));
  const code = tf.add(tf.div(x, scale), zeroPoint);
  const masked = outside(recent ? code : tf.round(code));
  const round = tf.customGrad((_, save) => {
    (save as (tensors: tf.Tensor[]) => void)([masked]);
    return {
      value: tf.mul(tf.sub(tf.round(tf.clipByValue(code, qmin, qmax)), zeroPoint), scale) as tf.Tensor,
      gradFunc: (dy: tf.Tensor, [mask]: tf.Tensor[]) => tf.where(mask, tf.zerosLike(dy), dy),
    };
  });
  const y = round(x);
  compareRounding(x, grid, { y, masked }, recent, count);
  return y as T;
}

/** Counts where the library's rounding or its gradient are others, and fails if that has another cause than a tie or an end. */
function compareRounding(
  x: tf.Tensor,
  grid: Grid,
  theirs: { readonly y: tf.Tensor; readonly masked: tf.Tensor },
  recent: boolean,
  count: Counts,
): void {
  const { scale, zeroPoint, qmin, qmax } = grid;
  const values = x.dataSync<"float32">();
  const ours = fakeQuantize(values, grid);
  const passes = fakeQuantizeGradient(new Float32Array(values.length).fill(1), values, grid);
  const masked = theirs.masked.dataSync();
  const y = theirs.y.dataSync();
  values.forEach((value, i) => {
    const steps = value / scale;
    const isTie = Math.abs(Math.abs(steps - Math.trunc(steps)) - 0.5) < 1e-5;
    if (Math.abs(ours[i] - y[i]) > scale / 2) {
      assert.ok(isTie, `${value} / ${scale}`);
      count.ties++;
    }
    if ((passes[i] === 0) === (masked[i] === 1)) return;
    const end = steps + zeroPoint > (qmin + qmax) / 2 ? qmax : qmin;
    assert.ok(Math.abs(steps + zeroPoint - end) <= 0.5 + 1e-5, `${value} / ${scale}`);
    if (masked[i] === 1) {
      assert.ok(recent);
      count.unroundedEnds++;
    } else {
      assert.ok(isTie);
      count.tiedEnds++;
    }
  });
}

describe("batch norm folded by NNI v2.10 and v3.0", () => {
  const v2 = { foldedTwice: 2, unbiased: 3, halfSteps: 3 };
  const v3 = { unbiased: 3, averagedWeights: 2 };
  const expected: Readonly<Record<string, Partial<Counts>>> = {
    qat_convbn: { ...v2, ties: 1, tiedEnds: 2, lastBit: 1 },
    qat_convbn_nobias: { ...v2, ties: 1 },
    qat_conv_bn_fused: { ...v3, narrow: 3, unroundedEnds: 4 },
    qat_conv_bn_relu_fused: { ...v3, unroundedEnds: 1 },
  };

  for (const one of CASES) {
    it(`${one.name}: moments, grids, outputs, losses, gradients and weights of every step, and the evaluation`, () => {
      const count = { ...NONE };
      const recent = "target_names" in one.config_list[0];
      const reluFused = JSON.stringify(one.config_list).includes('"relu"');
      const simulated = new QATQuantizer().compress(floatModel(one));
      const { conv, fc, variable } = partsOf(simulated);
      const read = (layer: tf.layers.Layer, role: string) => variable(layer, role)?.read() as tf.Tensor;
      const onGrid = <T extends tf.Tensor>(x: T, grid: Grid | undefined): T =>
        grid === undefined ? x : roundAsNni(x, grid, recent, count);
      const forward = (x: tf.Tensor4D, grids: Grids): tf.Tensor => {
        const { weights, bias } = conv.folded();
        const product = tf.conv2d(onGrid(x, grids.input), onGrid(weights as tf.Tensor4D, grids.weight), 1, "valid");
        const z = tf.add(product, bias as tf.Tensor1D);
        const relu = reluFused ? onGrid(tf.relu(z), grids.convOutput) : tf.relu(onGrid(z, grids.convOutput));
        const features = onGrid(relu, grids.reluOutput).reshape([x.shape[0], 12]) as tf.Tensor2D;
        return tf.add(tf.matMul(features, read(fc, "kernel") as tf.Tensor2D), read(fc, "bias"));
      };

      /** What v2 feeds its batch norm with: weights and bias of the step before. */
      let used: { readonly weights: tf.Tensor; readonly bias: tf.Tensor | undefined } | undefined;
      let weightRange: [number, number] | undefined;
      let last: Grids = {};
      one.steps.forEach((step, n) => {
        const what = `${one.name}, step ${n}`;
        const x = nhwc(step.x);
        const grids = gridsOf(step);
        const input = grids.input === undefined ? x : roundAsNni(x, grids.input, recent, { ...count });
        const own = { weights: read(conv, "kernel"), bias: variable(conv, "bias")?.read() };
        const moved = (from: typeof own): [tf.Tensor, tf.Tensor, tf.Tensor] => {
          const z = tf.conv2d(input, from.weights as tf.Tensor4D, 1, "valid");
          const { mean, variance } = tf.moments(from.bias === undefined ? z : tf.add(z, from.bias), [0, 1, 2]);
          const towards = (role: string, batch: tf.Tensor) =>
            tf.add(tf.mul(read(conv, role), MOMENTUM), tf.mul(batch, 1 - MOMENTUM));
          return [
            towards("moving_mean", mean),
            towards("moving_variance", tf.mul(variance, PLACES / (PLACES - 1))),
            towards("moving_variance", variance),
          ];
        };
        const [mean, variance, biased] = moved(recent ? own : (used ?? own));
        assertClose(mean, step.bn.running_mean, `${what}: moving mean`);
        assertClose(variance, step.bn.running_var, `${what}: moving variance`);
        assert.throws(() => assertClose(biased, step.bn.running_var, what));
        count.unbiased++;
        if (!recent && used !== undefined) {
          assert.throws(() => assertClose(moved(own)[0], step.bn.running_mean, what));
          count.foldedTwice++;
        }

        setMoments(simulated, step.bn);
        const { weights, bias } = conv.folded();
        const current = rangeOf(weights);
        weightRange =
          recent && weightRange
            ? (weightRange.map((end, i) => 0.99 * end + 0.01 * current[i]) as [number, number])
            : current;
        const [min, max] = weightRange;
        const weightGrid = grids.weight as Grid;
        const { scale, qmin, qmax } = weightGrid;
        assertClose([scale], [recent ? (max - min) / (qmax - qmin) : Math.max(-min, max) / 127.5], `${what}: scale`);
        if (!recent) count.halfSteps++;
        else if (qmin === -127) count.narrow++;
        if (recent && n > 0) count.averagedWeights++;
        const roundedBy = (by: number) =>
          roundAsNni(weights, { ...weightGrid, scale: scale * by }, recent, { ...count });
        // A scale larger by a bit or two moves nothing but ties.
        const lastBit = one.name === "qat_convbn" && n === 2 ? 1 + 2 ** -22 : 1;
        if (lastBit !== 1) {
          const steps = tf.div(tf.sub(roundedBy(lastBit), roundedBy(1)), scale).dataSync();
          const apart = [...steps.keys()].filter((i) => Math.abs(steps[i]) > 0.5);
          const values = weights.dataSync();
          assert.deepEqual(
            apart.map((i) => Math.abs(values[i])),
            [Math.max(...values.map(Math.abs))],
          );
          count.lastBit++;
        }
        used = { weights: roundedBy(lastBit), bias: bias?.clone() };
        last = { ...grids, weight: { ...weightGrid, scale: scale * lastBit } };

        assertStep(
          step,
          descend(simulated, () => forward(x, last), step, one.lr),
          what,
        );
      });
      // NNI's evaluation rounds on the grid of the last step, not on that of the weights after it.
      assertClose(forward(nhwc(one.eval.x), last), floats(one.eval.y), `${one.name}: evaluation`);
      assert.deepEqual(count, { ...NONE, ...expected[one.name] });
    });
  }

  it("qat_conv_bn_relu_fused: QATQuantizer itself, given the moments, is equal at the first step but for an end's gradient", () => {
    const one = CASES.find(({ name }) => name === "qat_conv_bn_relu_fused") as Case;
    const simulated = new QATQuantizer(one.config_list, { freezeBatchNormStep: 0 }).compress(floatModel(one));
    const [step] = one.steps;
    setMoments(simulated, step.bn);
    const x = nhwc(step.x);
    const found = descend(simulated, () => simulated.apply(x, { training: true }) as tf.Tensor, step, one.lr);
    assertClose(found.y, floats(step.y), "y");
    assertClose(found.loss, floats([step.loss]), "loss");
    const theirs = floats(step.weight_grad.conv);
    const apart = [...oihw(found.gradient).dataSync()].flatMap((value, i) =>
      Math.abs(value - theirs[i]) <= 1e-6 + 1e-5 * Math.abs(theirs[i]) ? [] : [i],
    );
    assert.deepEqual(apart, [39]);
    assert.ok(theirs[39] === 0 && found.gradient.dataSync().every((value) => Number.isFinite(value)));
    const edge = simulated.layers.find((layer) => layer instanceof EdgeLayer) as EdgeLayer;
    const { scale, zero_point } = step.state.conv._output_0 as { scale: number[]; zero_point: number[] };
    assertClose(edge.params(), [...scale, ...zero_point], "parameters of the output");
  });

  it("qat_conv_bn_relu_fused: the moments that QATQuantizer updates are NNI's, the variance biased", () => {
    const one = CASES.find(({ name }) => name === "qat_conv_bn_relu_fused") as Case;
    const simulated = new QATQuantizer(one.config_list).compress(floatModel(one));
    const [step] = one.steps;
    simulated.apply(nhwc(step.x), { training: true });
    const { conv, variable } = partsOf(simulated);
    assertClose(variable(conv, "moving_mean")?.read() as tf.Tensor, step.bn.running_mean, "mean");
    const moved = variable(conv, "moving_variance")?.read() as tf.Tensor;
    const variance = moved.dataSync();
    const before = floats(one.init["bn.running_var"].data);
    const unbiased = variance.map(
      (v, c) => MOMENTUM * before[c] + ((v - MOMENTUM * before[c]) * PLACES) / (PLACES - 1),
    );
    assertClose(unbiased, step.bn.running_var, "variance");
  });
});
