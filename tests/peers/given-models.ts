import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { compareModel, RULES } from "./compare-model.js";
import { givenModel } from "./given-model-path.js";
import { randomCodes } from "./random-codes.js";

// Other people's int8 files on random codes, half of them smooth. The files stay where they are, beside the project.

for (const name of ["kws_ref_model.tflite", "pretrainedResnet_quant.tflite"]) {
  const { path, missing } = givenModel(name);
  describe(name, { skip: missing }, () => {
    for (const rounding of RULES) {
      it(`"${rounding}": every tensor of judges and sessions`, (t) =>
        compareModel(t, new Uint8Array(readFileSync(path)), rounding, ({ length }, i) => randomCodes(length, i)));
    }
  });
}
