import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dorefaActivations as defineActivations } from "../../src/reference/dorefa-activations.js";
import { dorefaActivationsGradient as defineActivationsGradient } from "../../src/reference/dorefa-activations-gradient.js";
import { dorefaGradients as defineGradients } from "../../src/reference/dorefa-gradients.js";
import { dorefaWeights as defineWeights } from "../../src/reference/dorefa-weights.js";
import { dorefaWeightsGradient as defineWeightsGradient } from "../../src/reference/dorefa-weights-gradient.js";
import { noiseKey } from "../../src/reference/gradient-noise.js";
import { signActivations as defineSign } from "../../src/reference/sign-activations.js";
import { signActivationsGradient as defineSignGradient } from "../../src/reference/sign-activations-gradient.js";
import { dorefaActivations } from "../../src/wasm/dorefa-activations.js";
import { dorefaActivationsGradient } from "../../src/wasm/dorefa-activations-gradient.js";
import { dorefaGradients } from "../../src/wasm/dorefa-gradients.js";
import { dorefaWeights } from "../../src/wasm/dorefa-weights.js";
import { dorefaWeightsGradient } from "../../src/wasm/dorefa-weights-gradient.js";
import { residentArray } from "../../src/wasm/resident-array.js";
import { signActivations } from "../../src/wasm/sign-activations.js";
import { signActivationsGradient } from "../../src/wasm/sign-activations-gradient.js";
import { neighbour } from "./awkward-values.js";
import { assertSameBytes, guarded } from "./bytes.js";
import { noise, steps } from "./geometries.js";

const SOURCE = { seed: 2 ** 32 - 1, step: 12, tensor: 2 ** 31 };

const given = (out: Float32Array | undefined): { out?: Float32Array } => (out === undefined ? {} : { out });

/** A function of one or two arrays and bits, beside its definition. */
interface Operation {
  readonly name: string;
  readonly arity: 1 | 2;
  call(inputs: Float32Array[], bits: number, out?: Float32Array): Float32Array;
  define(inputs: Float32Array[], bits: number, out: Float32Array): unknown;
  /** Whether the last input may hold NaN and ±Infinity. */
  readonly anyValues: boolean;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: "dorefaWeights",
    arity: 1,
    call: ([w], bits, out) => dorefaWeights(w, bits, given(out)),
    define: ([w], bits, out) => defineWeights(w, bits, out),
    anyValues: false,
  },
  {
    name: "dorefaWeightsGradient",
    arity: 2,
    call: ([dy, w], bits, out) => dorefaWeightsGradient(dy, w, bits, given(out)),
    define: ([dy, w], bits, out) => (bits === 1 ? out.set(dy) : defineWeightsGradient(dy, w, out)),
    anyValues: false,
  },
  {
    name: "dorefaActivations",
    arity: 1,
    call: ([x], bits, out) => dorefaActivations(x, bits, given(out)),
    define: ([x], bits, out) => defineActivations(x, bits, out),
    anyValues: true,
  },
  {
    name: "dorefaActivationsGradient",
    arity: 2,
    call: ([dy, x], bits, out) => dorefaActivationsGradient(dy, x, bits, given(out)),
    define: ([dy, x], _bits, out) => defineActivationsGradient(dy, x, out),
    anyValues: true,
  },
  {
    name: "dorefaGradients",
    arity: 1,
    call: ([dr], bits, out) => dorefaGradients(dr, bits, { ...SOURCE, batch: 1, offset: 5, ...given(out) }),
    define: ([dr], bits, out) => defineGradients(dr, bits, { batch: 1, key: noiseKey(SOURCE), first: 5 }, out),
    anyValues: false,
  },
];

/** What has no bits of its own, or an upper end other than 1. */
const VARIANTS: readonly Operation[] = [
  {
    name: "signActivations",
    arity: 1,
    call: ([x], _bits, out) => signActivations(x, given(out)),
    define: ([x], _bits, out) => defineSign(x, out),
    anyValues: true,
  },
  {
    name: "signActivationsGradient",
    arity: 2,
    call: ([dy, x], _bits, out) => signActivationsGradient(dy, x, given(out)),
    define: ([dy, x], _bits, out) => defineSignGradient(dy, x, out),
    anyValues: true,
  },
  ...[0.1, 6, 2 ** -100, 2 ** 100].flatMap((bound): Operation[] => [
    {
      name: "dorefaActivations",
      arity: 1,
      call: ([x], bits, out) => dorefaActivations(x, bits, { bound, ...given(out) }),
      define: ([x], bits, out) => defineActivations(x, bits, out, Math.fround(bound)),
      anyValues: true,
    },
    {
      name: "dorefaActivationsGradient",
      arity: 2,
      call: ([dy, x], bits, out) => dorefaActivationsGradient(dy, x, bits, { bound, ...given(out) }),
      define: ([dy, x], _bits, out) => defineActivationsGradient(dy, x, out, Math.fround(bound)),
      anyValues: true,
    },
  ]),
];

/** Values about the steps of the unit grid, its ties and ends, zeros and the ends of float32; none is NaN or infinite. */
function awkward(length: number, bits: number): Float32Array {
  const n = 2 ** bits - 1;
  const on = [0, 1, Math.floor(n / 2), n - 1, n].flatMap((code) => [code / n, (code + 0.5) / n, (2 * code) / n - 1]);
  const near = on.flatMap((value) => [-1, 0, 1].map((ulps) => neighbour(value, ulps)));
  const values = [...near, 0, -0, 2 ** -149, -(2 ** -149), 2 ** -126, 1e30, -3.4e38, 3.4e38, 9.01, -9.02, 0.6, -0.2];
  return Float32Array.from({ length }, (_, i) => values[(i * 7) % values.length]);
}

function compare(operation: Operation, inputs: Float32Array[], bits: number, what: string): void {
  const { name, call, define } = operation;
  const expected = new Float32Array(inputs[0].length);
  define(inputs, bits, expected);
  const places = inputs.map((input) => guarded(input));
  const arrays = places.map(({ array }) => array);
  assertSameBytes(call(arrays, bits), expected, `${name}, ${what}, fresh`);
  const target = guarded(new Float32Array(expected.length).fill(-7));
  assert.equal(call(arrays, bits, target.array), target.array);
  assertSameBytes(target.array, expected, `${name}, ${what}, out`);
  target.check(`${name}, ${what}`);
  for (const [i, input] of inputs.entries()) {
    assertSameBytes(arrays[i], input, `${name}, ${what}: input ${i} was changed`);
    const own = inputs.map((other) => guarded(other));
    const ownArrays = own.map(({ array }) => array);
    assertSameBytes(call(ownArrays, bits, ownArrays[i]), expected, `${name}, ${what}, in place of ${i}`);
    own[i].check(`${name}, ${what}, in place of ${i}`);
  }
}

/** The part of the kernel contract about DoReFa. */
export function dorefaContract(): void {
  for (const operation of OPERATIONS) {
    const { name, arity, call, define } = operation;
    const inputsOf = (values: Float32Array): Float32Array[] =>
      arity === 1 ? [values] : [noise(values.length, 99), values];

    describe(name, () => {
      it("lengths 0…67 at odd offsets, 1…16 bits, fresh, given and in place", () => {
        for (let n = 0; n <= 67; n++) {
          for (let bits = 1; bits <= 16; bits++) {
            compare(operation, inputsOf(noise(n, n + bits)), bits, `${n} elements, ${bits} bits`);
            compare(operation, inputsOf(awkward(n, bits)), bits, `${n} awkward elements, ${bits} bits`);
          }
          compare(operation, inputsOf(steps(n, n)), 2, `${n} elements with ties`);
          compare(operation, inputsOf(new Float32Array(n)), 3, `${n} zeros`);
        }
      });

      it("more than a block", () => compare(operation, inputsOf(noise(100_003, 1)), 2, "100003 elements"));

      it("any finite values", () => {
        const value = fc.oneof(
          fc.float({ noNaN: true, noDefaultInfinity: true }),
          fc.float({ min: -2, max: 2, noNaN: true }),
        );
        fc.assert(
          fc.property(fc.array(value, { maxLength: 80 }), fc.integer({ min: 1, max: 16 }), (values, bits) => {
            compare(operation, inputsOf(Float32Array.from(values)), bits, `${bits} bits`);
          }),
          { numRuns: 200 },
        );
      });

      it("resident arrays, in every combination", () => {
        for (const n of [1, 67, 20_001]) {
          const inputs = inputsOf(noise(n, 3));
          const expected = new Float32Array(n);
          define(inputs, 4, expected);
          for (let mask = 1; mask < 2 ** (arity + 1); mask++) {
            const residents = [...inputs, new Float32Array(n)].map((array, i) => {
              if (((mask >> i) & 1) === 0) return { array, dispose: () => undefined };
              const resident = residentArray("float32", n);
              resident.array.set(array);
              return resident;
            });
            const arrays = residents.map(({ array }) => array);
            const result = call(arrays.slice(0, arity), 4, arrays[arity]);
            assertSameBytes(result, expected, `${n} elements, residents ${mask.toString(2)}`);
            for (const resident of residents) resident.dispose();
          }
        }
      });

      it("32 bits change nothing", () => {
        const inputs = inputsOf(awkward(20, 4));
        assertSameBytes(call(inputs, 32), inputs[0], "fresh");
        const out = new Float32Array(20);
        assert.equal(call(inputs, 32, out), out);
        assertSameBytes(out, inputs[0], "out");
      });

      it("wrong arguments", () => {
        const x = new Float32Array(4);
        for (const bits of [0, 17, 31, 33, 1.5, Number.NaN]) {
          assert.throws(() => call(inputsOf(x), bits), {
            name: "RangeError",
            message: `${name}: expected bits in 1…16, or 32 for untouched, got ${bits}`,
          });
        }
        for (const bits of [2, 32]) {
          assert.throws(() => call(inputsOf(x), bits, new Float32Array(3)), {
            name: "RangeError",
            message: `${name}: expected out of 4 elements, got 3`,
          });
        }
        const shared = new Float32Array(6);
        assert.throws(() => call(inputsOf(shared.subarray(0, 4)), 2, shared.subarray(2)), {
          name: "RangeError",
          message: `${name}: expected out to be the input or to lie apart from it, got overlapping memory`,
        });
        const wrong = [1, 2] as unknown as Float32Array;
        assert.throws(() => call(arity === 1 ? [wrong] : [x, wrong], 2), {
          name: "TypeError",
          message: new RegExp(`^${name}: expected \\w+ to be a Float32Array, got \\[object Array\\]$`),
        });
      });

      if (operation.anyValues) {
        it("NaN gives 0; infinities are beyond the ends", () => {
          const x = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 0);
          compare(operation, inputsOf(x), 3, "NaN and infinities");
          const ones = new Float32Array(5).fill(1);
          const found = [...call(arity === 1 ? [x] : [ones, x], 3)];
          assert.deepEqual(found, arity === 1 ? [0, 1, 0, 1, 0] : [0, 0, 0, 1, 1]);
        });
      } else {
        it("NaN or ±Infinity anywhere is an error that names the first; out is untouched", () => {
          for (const bits of name === "dorefaWeightsGradient" ? [2] : [1, 2, 4]) {
            for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
              for (let at = 0; at < 19; at++) {
                const x = noise(19, 5);
                x[at] = bad;
                x[18] = bad;
                const out = new Float32Array(19).fill(9);
                const message = `${name}: expected finite values, got ${bad} at index ${at}`;
                assert.throws(() => call(inputsOf(x), bits, out), { name: "QuantError", code: "non-finite", message });
                assert.deepEqual([...new Set(out)], [9]);
                const resident = residentArray("float32", 19);
                resident.array.fill(9);
                assert.throws(() => call(inputsOf(x), bits, resident.array), { message });
                assert.deepEqual([...new Set(resident.array)], [9]);
                resident.dispose();
              }
            }
          }
        });
      }
    });
  }

  it("signs, and activations with an upper end of their own: lengths 0…67, NaN and infinities among the values", () => {
    for (const [i, operation] of VARIANTS.entries()) {
      for (let n = 0; n <= 67; n++) {
        for (const bits of [1, 2, 5]) {
          for (const factor of [1, 6, 2 ** -100, 2 ** 100]) {
            const x = awkward(n, bits).map((value) => value * factor);
            if (n > 0) x[n - 1] = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0][n % 4];
            const inputs = operation.arity === 1 ? [x] : [noise(n, 99), x];
            compare(operation, inputs, bits, `variant ${i}, ${n} elements, ${bits} bits, factor ${factor}`);
          }
        }
      }
    }
  });

  it("signs and upper ends: wrong arguments", () => {
    const x = new Float32Array(4);
    for (const bound of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 101]) {
      for (const [name, call] of [
        ["dorefaActivations", () => dorefaActivations(x, 2, { bound })],
        ["dorefaActivationsGradient", () => dorefaActivationsGradient(x, x, 2, { bound })],
      ] as const) {
        const message = `${name}: expected bound in [2^-100, 2^100], got ${bound}`;
        assert.throws(call, { name: "RangeError", message });
      }
    }
    assert.throws(() => signActivations(x, { out: new Float32Array(3) }), {
      name: "RangeError",
      message: "signActivations: expected out of 4 elements, got 3",
    });
    assert.throws(() => signActivationsGradient(x.subarray(1), x), {
      name: "RangeError",
      message: "signActivationsGradient: expected dy of 4 elements, got 3",
    });
    assert.throws(() => signActivations([1] as unknown as Float32Array), {
      name: "TypeError",
      message: "signActivations: expected x to be a Float32Array, got [object Array]",
    });
  });

  it("dorefaGradients: splitting a batch changes nothing, wherever it is split", () => {
    const [batch, size] = [6, 11];
    const dr = noise(batch * size, 8);
    for (const bits of [1, 4, 8]) {
      const whole = dorefaGradients(dr, bits, { ...SOURCE, batch });
      for (let at = 1; at < batch; at++) {
        const cut = at * size;
        const parts = [
          dorefaGradients(dr.subarray(0, cut), bits, { ...SOURCE, batch: at }),
          dorefaGradients(dr.subarray(cut), bits, { ...SOURCE, batch: batch - at, offset: cut }),
        ];
        assert.deepEqual([...parts[0], ...parts[1]], [...whole], `${bits} bits, split at ${at}`);
      }
    }
  });

  it("dorefaGradients: wrong options", () => {
    const dr = new Float32Array(6);
    const options = { ...SOURCE, batch: 2 };
    for (const batch of [0, 4, 1.5, -1, Number.NaN]) {
      assert.throws(() => dorefaGradients(dr, 2, { ...options, batch }), {
        name: "RangeError",
        message: `dorefaGradients: expected a batch ≥ 1 that divides 6 elements, got ${batch}`,
      });
    }
    for (const name of ["seed", "step", "tensor"]) {
      for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) {
        assert.throws(() => dorefaGradients(dr, 2, { ...options, [name]: value }), {
          name: "RangeError",
          message: `dorefaGradients: expected an integer ${name} in [0, 2^32), got ${value}`,
        });
      }
    }
    assert.throws(() => dorefaGradients(dr, 2, { ...options, offset: -1 }), {
      name: "RangeError",
      message: "dorefaGradients: expected an integer offset ≥ 0, got -1",
    });
  });
}
