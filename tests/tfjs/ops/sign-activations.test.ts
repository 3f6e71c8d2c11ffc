import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signActivations } from "../../../src/tfjs/ops/sign-activations.js";
import { noise } from "../../contracts/geometries.js";
import { go, outputAndGradients, PLACES } from "./backends.js";

const X = Float32Array.of(-2, -1, -0.5, -0, 0, 0.5, 1, 1 + 2 ** -23);

describe("signActivations", () => {
  for (const place of PLACES) {
    it(`the sign, that of both zeros +1; the gradient passes from −1 to 1, on ${place}`, async () => {
      await go(place);
      const [y, dx] = outputAndGradients("signs", signActivations, [{ shape: [2, 4], values: X }]);
      assert.deepEqual([...y], [-1, -1, -1, 1, 1, 1, 1, 1]);
      const dy = noise(8, 99);
      assert.deepEqual(
        [...dx].map((d) => d + 0),
        [0, dy[1], dy[2], dy[3], dy[4], dy[5], dy[6], 0],
      );
    });
  }
});
