import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaActivations } from "../../../src/tfjs/ops/dorefa-activations.js";
import { dorefaActivations as dorefaActivationsArray } from "../../../src/wasm/dorefa-activations.js";
import { dorefaActivationsGradient } from "../../../src/wasm/dorefa-activations-gradient.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, outputAndGradients, PLACES } from "./backends.js";

const PLAIN = "a backend without the library's kernels";
/** Ends, ties of 1 and 2 bits, what lies around them. */
const AWKWARD = [0, -0, 1, 0.5, 1 / 6, 5 / 6, 1 + 2 ** -23, 1 - 2 ** -24, 2 ** -149, -(2 ** -149), 6, 6.000001, -7];

const SAMPLES = [[2, 5, 3, 17], [9, 6], [71], []].flatMap((shape) =>
  [1, 2, 4, 8, 16].flatMap((bits) =>
    [1, 6, Math.fround(0.1)].map((bound) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = noise(size, 1).map((v, i) => (i % 2 === 0 ? AWKWARD[(i / 2) % AWKWARD.length] : 2 * v * bound));
      return { what: `[${shape}], ${bits} bits to ${bound}`, shape, bits, bound, values };
    }),
  ),
);

describe("dorefaActivations", () => {
  for (const place of PLACES) {
    it(`values and gradients are those of the array functions, ${place === PLAIN ? "as numbers" : "bit for bit"}, on ${place}`, async () => {
      await go(place);
      for (const { what, shape, bits, bound, values } of SAMPLES) {
        const actual = outputAndGradients(what, (x) => dorefaActivations(x, bits, bound), [{ shape, values }]);
        const expected = [
          dorefaActivationsArray(values, bits, { bound }),
          dorefaActivationsGradient(noise(values.length, 99), values, bits, { bound }),
        ];
        actual.forEach((output, i) => {
          const name = `${what}, ${i === 0 ? "value" : "gradient"}`;
          // Stock ops tell 0 and −0 apart elsewhere.
          if (place === PLAIN) {
            assert.deepEqual(
              output.map((v) => v + 0),
              expected[i].map((v) => v + 0),
              name,
            );
          } else assertSameBytes(output, expected[i], name);
        });
      }
    });
  }
});
