import { describe, it } from "node:test";
import { quantize } from "../../src/wasm/quantize.js";
import { compareModel, RULES } from "./compare-model.js";
import { type CnnName, exportedCnn } from "./exported-models.js";

// The project's CNNs as written by writeTflite, on test images.

const PIXELS = 784;

for (const name of ["mnist-cnn", "fashion-cnn"] satisfies CnnName[]) {
  const model = await exportedCnn(name);
  describe(name, { skip: typeof model === "string" ? model : false }, () => {
    if (typeof model === "string") return;
    const { file, images } = model;
    for (const rounding of RULES) {
      it(`"${rounding}": every tensor of judges and sessions`, (t) =>
        compareModel(t, file, rounding, ({ scale, zeroPoint }, i) => {
          const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
          return quantize(image, { scale, zeroPoint, qmin: -128, qmax: 127 }) as Int8Array;
        }));
    }
  });
}
