import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { gridOf } from "../../../src/core/grid.js";
import type { QuantParams } from "../../../src/core/quant-params.js";
import { type FakeQuantizeGrid, fakeQuantize } from "../../../src/tfjs/ops/fake-quantize.js";
import { noParams, paramsTensor } from "../../../src/tfjs/ops/quant-params-tensor.js";
import { fakeQuantize as fakeQuantizeArray } from "../../../src/wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../../../src/wasm/fake-quantize-gradient.js";
import {
  awkwardBits,
  channelBits,
  channelParams,
  fromBits,
  SCALES,
  zeroPointsOf,
} from "../../contracts/awkward-values.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, kernelsOf, nothingLeft, outputAndGradients, PLACES, type Place } from "./backends.js";

interface Sample {
  readonly what: string;
  readonly shape: readonly number[];
  readonly params: QuantParams;
  readonly x: Float32Array;
}

const GRIDS = [
  gridOf("test", { bits: 8 }),
  gridOf("test", { bits: 8, signed: false }),
  gridOf("test", { bits: 8, narrowRange: true }),
  gridOf("test", { bits: 2, narrowRange: true }),
  gridOf("test", { bits: 16 }),
];
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Ties, ends of the range, NaN, infinities, zeros and subnormals under each grid, zero point and scale. */
const PER_TENSOR: readonly Sample[] = GRIDS.flatMap((grid) =>
  zeroPointsOf(grid).flatMap((zeroPoint) =>
    SCALES.map((scale): Sample => {
      const x = fromBits(awkwardBits(scale, zeroPoint, grid), 413);
      const what = `[${grid.qmin}, ${grid.qmax}], zero point ${zeroPoint}, scale ${scale}`;
      return { what, shape: [7, 59], params: { ...grid, scale, zeroPoint }, x };
    }),
  ),
);

/** Channels on the last axis and on others, one channel, and tensors without elements. */
const PER_CHANNEL: readonly Sample[] = [
  { shape: [3, 3, 5, 16], axis: 3 },
  { shape: [3, 3, 5, 16], axis: 2 },
  { shape: [24, 10], axis: 0 },
  { shape: [24, 10], axis: 1 },
  { shape: [7], axis: 0 },
  { shape: [5, 1], axis: 1 },
  { shape: [2, 0, 3], axis: 2 },
  { shape: [0, 3], axis: 1 },
].flatMap(({ shape, axis }) =>
  GRIDS.map((grid): Sample => {
    const params = channelParams(grid, shape[axis], axis);
    const what = `[${shape}] along ${axis}, [${grid.qmin}, ${grid.qmax}]`;
    return { what, shape, params, x: fromBits(channelBits(params), sizeOf(shape)) };
  }),
);

/** Small shapes, and some that end in the middle of a vector. */
const SHAPES: readonly Sample[] = [[], [0], [0, 4], [1], [3], [67], [2, 3, 5, 7]].map((shape) => {
  const params = { ...GRIDS[0], scale: 0.02, zeroPoint: 5 };
  return { what: `[${shape}]`, shape, params, x: noise(sizeOf(shape), 3).map((v) => v * 4) };
});

const SAMPLES = [...SHAPES, ...PER_TENSOR, ...PER_CHANNEL];

const gridIn = ({ qmin, qmax, axis }: QuantParams): FakeQuantizeGrid =>
  axis === undefined ? { qmin, qmax } : { qmin, qmax, axis };

/** Output and gradient of the op, for the gradient noise(size, 99). */
function byOp({ what, shape, params, x }: Sample): Float32Array[] {
  const op = (value: tf.Tensor): tf.Tensor => fakeQuantize(value, paramsTensor(params), gridIn(params));
  return outputAndGradients(what, op, [{ shape, values: x }]);
}

/** The same by the array functions. */
function byArrays({ shape, params, x }: Sample): Float32Array[] {
  const y = fakeQuantizeArray(x, params, { shape });
  return [y, fakeQuantizeGradient(noise(y.length, 99), x, params, { shape })];
}

const OWN = PLACES.filter((place) => place !== "a backend without the library's kernels");
const PLAIN: Place = "a backend without the library's kernels";

describe("fakeQuantize", () => {
  for (const place of OWN) {
    it(`values and gradients are those of the array functions, bit for bit, on ${place}`, async () => {
      await go(place);
      for (const sample of SAMPLES) {
        const expected = byArrays(sample);
        byOp(sample).forEach((values, i) => {
          assertSameBytes(values, expected[i], `${sample.what}, ${i === 0 ? "value" : "gradient"}`);
        });
      }
    });
  }

  it(`by stock ops: the same numbers, but that NaN stays NaN, on ${PLAIN}`, async () => {
    await go(PLAIN);
    for (const sample of SAMPLES) {
      const [y, dx] = byArrays(sample);
      const [actualY, actualDx] = byOp(sample);
      const channels = sample.params.axis === undefined ? 1 : sample.shape[sample.params.axis];
      sample.x.forEach((x, i) => {
        const expected = Number.isNaN(x) ? Number.NaN : y[i];
        // Rounded to 0 or not, −0 and 0 are one number here.
        assert.equal(actualY[i] + 0, expected + 0, `${sample.what}, ${channels} channels: value ${i}, of ${x}`);
        assert.equal(actualDx[i] + 0, dx[i] + 0, `${sample.what}: gradient ${i}, of ${x}`);
      });
    }
  });

  for (const place of PLACES) {
    it(`ties go to even codes, and the ends of the range keep their gradient, on ${place}`, async () => {
      await go(place);
      const x = [-4, -3.5, -3.25, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.25, 3.5, 4];
      const params: QuantParams = { scale: 1, zeroPoint: 0, qmin: -3, qmax: 3 };
      const sample = { what: "ties", shape: [12], params, x: Float32Array.from(x) };
      const [y, dx] = byOp(sample);
      assert.deepEqual(
        [...y].map((v) => v + 0),
        [-3, -3, -3, -2, -2, 0, 0, 2, 2, 3, 3, 3],
      );
      assert.deepEqual(
        [...dx].map((v) => v !== 0),
        [false, false, true, true, true, true, true, true, true, true, false, false],
      );
    });

    it(`scale 0 gives x itself and the full gradient, per tensor and per channel, on ${place}`, async () => {
      await go(place);
      const x = Float32Array.of(-1e30, -0.4, 0, 0.3, 7, 1e30);
      const off: [() => tf.Tensor2D, FakeQuantizeGrid][] = [
        [noParams, { qmin: -3, qmax: 3 }],
        [() => tf.zeros([2, 3]), { qmin: -3, qmax: 3, axis: 1 }],
      ];
      for (const [params, grid] of off) {
        const inputs = [{ shape: [2, 3], values: x }];
        const [y, dx] = outputAndGradients("scale 0", (value) => fakeQuantize(value, params(), grid), inputs);
        assertSameBytes(y, x, "value");
        assertSameBytes(dx, noise(6, 99), "gradient");
      }
    });

    it(`in variableGrads, weights per channel and values per tensor, on ${place}`, async () => {
      await go(place);
      const weights: QuantParams = {
        scale: Float32Array.of(0.25, 0.5),
        zeroPoint: new Int32Array(2),
        qmin: -3,
        qmax: 3,
        axis: 1,
      };
      const values: QuantParams = { scale: 0.5, zeroPoint: 1, qmin: -4, qmax: 3 };
      const w = tf.variable(tf.tensor2d([0.3, 1.4, -2, -0.2], [2, 2]));
      nothingLeft("variableGrads", () => {
        const x = tf.tensor2d([0.6, -9, 0.9, 0.4], [2, 2]);
        const { value, grads } = tf.variableGrads(() => {
          const product = tf.matMul(
            fakeQuantize(x, paramsTensor(values), gridIn(values)),
            fakeQuantize(w, paramsTensor(weights), gridIn(weights)) as tf.Tensor2D,
          );
          return tf.sum(tf.square(product)) as tf.Scalar;
        }, [w]);
        // x on its grid [[0.5, −2.5], [1, 0.5]], w on its own [[0.25, 1.5], [−0.75, 0]]; x·w = [[2, 0.75], [−0.125, 1.5]].
        assert.deepEqual([...value.dataSync()], [4 + 0.5625 + 0.015625 + 2.25]);
        // xᵀ · 2xw, but for w[1, 0] = −2, which lies below its range.
        assert.deepEqual(
          [...grads[w.name].dataSync()].map((v) => v + 0),
          [1.75, 3.75, 0, -2.25],
        );
      });
      w.dispose();
    });
  }

  it("its kernels run on cpu and wasm, and none elsewhere", async () => {
    const gradient = (x: tf.Tensor): tf.Tensor =>
      tf.grad((value) => fakeQuantize(value, tf.tensor2d([1, 0], [2, 1]), { qmin: -3, qmax: 3 }))(x);
    for (const place of PLACES) {
      await go(place);
      const ran = await kernelsOf(() => gradient(tf.ones([2])));
      const expected: string[] = place === PLAIN ? [] : ["BitpressFakeQuantize", "BitpressFakeQuantizeGradient"];
      assert.deepEqual(ran, expected, place);
    }
  });

  it("survives growth of the wasm backend's memory between forward and backward", async () => {
    await go("wasm");
    const { memory } = (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm;
    for (const sample of [PER_TENSOR[0], PER_CHANNEL[0]]) {
      const { params, shape, x, what } = sample;
      const held: tf.Tensor[] = [];
      const op = (value: tf.Tensor): tf.Tensor => {
        const y = fakeQuantize(value, paramsTensor(params), gridIn(params));
        const bytes = memory.buffer.byteLength;
        while (memory.buffer.byteLength === bytes) held.push(tf.keep(tf.zeros([1 << 18])));
        return y;
      };
      const [y, dx] = tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad(op)(
          tf.tensor(x, [...shape]),
          tf.tensor(noise(x.length, 99), [...shape]),
        );
        return [value, grad].map((tensor) => tensor.dataSync<"float32">().slice());
      });
      assert.ok(held.length > 0);
      tf.dispose(held);
      const expected = byArrays(sample);
      assertSameBytes(y, expected[0], `${what}, value`);
      assertSameBytes(dx, expected[1], `${what}, gradient`);
    }
  });

  it("says what does not fit", async () => {
    for (const place of OWN) {
      await go(place);
      nothingLeft(place, () => {
        const [x, params] = [tf.zeros([2, 3]), tf.tensor2d([1, 0], [2, 1])];
        assert.throws(() => fakeQuantize(x.toInt(), params, { qmin: -3, qmax: 3 }), {
          name: "TypeError",
          message: "BitpressFakeQuantize: expected x to be float32, got int32",
        });
        assert.throws(() => fakeQuantize(x, params, { qmin: -3, qmax: 3, axis: 1 }), {
          name: "RangeError",
          message: "fakeQuantize: expected 3 scales and zero points, got 1 and 1",
        });
        assert.throws(() => fakeQuantize(x, tf.tensor2d([-1, 0], [2, 1]), { qmin: -3, qmax: 3 }), {
          name: "RangeError",
          message: "fakeQuantize: expected scale > 0 and finite in float32, got -1",
        });
      });
    }
  });

  it("has no second-order gradient on cpu and wasm", async () => {
    for (const place of OWN) {
      await go(place);
      tf.tidy(() => {
        const op = (x: tf.Tensor): tf.Tensor => fakeQuantize(x, tf.tensor2d([1, 0], [2, 1]), { qmin: -3, qmax: 3 });
        const first = (x: tf.Tensor): tf.Tensor => tf.grad((value) => tf.square(op(value)))(x);
        assert.throws(() => tf.grad(first)(tf.tensor1d([1, 2])), {
          message: "Cannot compute gradient: gradient function not found for BitpressFakeQuantizeGradient.",
        });
      });
    }
  });
});
