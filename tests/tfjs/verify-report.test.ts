import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noCounts } from "../../src/tfjs/parity.js";
import { printVerification, verifyReport } from "../../src/tfjs/verify-report.js";

const COUNTS = new Map([
  ["image", { ...noCounts(), codes: 1000 }],
  ["relu", { codes: 3000, alone: { differing: 1, largest: 1 }, endToEnd: { differing: 1, largest: 1 } }],
  ["probs", { codes: 10, alone: { differing: 0, largest: 0 }, endToEnd: { differing: 2, largest: 3 } }],
]);

describe("verifyReport", () => {
  it("adds up layers, and finds the first that differs", () => {
    const none = { differing: 0, fraction: 0, largest: 0 };
    assert.deepEqual(verifyReport("integer", 7, COUNTS, new Set(COUNTS.keys()), { simulated: 1, integer: 0.5 }), {
      rounding: "integer",
      samples: 7,
      layers: [
        { value: "image", codes: 1000, alone: none, endToEnd: none },
        {
          value: "relu",
          codes: 3000,
          alone: { differing: 1, fraction: 1 / 3000, largest: 1 },
          endToEnd: { differing: 1, fraction: 1 / 3000, largest: 1 },
        },
        { value: "probs", codes: 10, alone: none, endToEnd: { differing: 2, fraction: 0.2, largest: 3 } },
      ],
      codes: 4010,
      alone: { differing: 1, fraction: 1 / 4010, largest: 1 },
      endToEnd: { differing: 3, fraction: 3 / 4010, largest: 3 },
      firstDiffering: "relu",
      accuracy: { simulated: 1, integer: 0.5 },
    });
  });

  it("names no first one and no accuracy where there is none", () => {
    const report = verifyReport(
      "float32",
      7,
      new Map([["image", { ...noCounts(), codes: 1000 }]]),
      new Set(["image"]),
      undefined,
    );
    assert.deepEqual(Object.keys(report), ["rounding", "samples", "layers", "codes", "alone", "endToEnd"]);
  });
});

describe("printVerification", () => {
  it("a line on the whole, and one per value", () => {
    const report = verifyReport("integer", 7, COUNTS, new Set(COUNTS.keys()), { simulated: 1, integer: 0.5 });
    assert.equal(
      printVerification(report),
      [
        '7 samples, rounding integer: 1 of 4010 codes differs, by 1; end to end 3, by at most 3, first at "relu"; accuracy 1 simulated, 0.5 integer',
        "image  1000 codes  alone 0        end to end 0",
        "relu   3000 codes  alone 1, by 1  end to end 1, by 1",
        "probs  10 codes    alone 0        end to end 2, by at most 3",
      ].join("\n"),
    );
  });

  it("marks layers that training did not round", () => {
    const report = verifyReport("integer", 7, COUNTS, new Set(["image", "relu"]), undefined);
    assert.deepEqual(
      report.layers.map(({ roundedLater }) => roundedLater),
      [undefined, undefined, true],
    );
    const counts = new Map([
      ...COUNTS,
      ["sum", { ...noCounts(), codes: 5, alone: { differing: 2, largest: 1 } }],
    ] as const);
    assert.equal(
      printVerification(verifyReport("integer", 7, counts, new Set(["image", "relu"]), undefined)),
      [
        '7 samples, rounding integer: 3 of 4015 codes differ, by 1, 1 of them where training rounded; end to end 3, by at most 3, first at "relu"',
        "image  1000 codes  alone 0        end to end 0",
        "relu   3000 codes  alone 1, by 1  end to end 1, by 1",
        "probs  10 codes    alone 0        end to end 2, by at most 3, rounded after training",
        "sum    5 codes     alone 2, by 1  end to end 0, rounded after training",
      ].join("\n"),
    );
  });

  it("where nothing differs", () => {
    const report = verifyReport(
      "tflite",
      1,
      new Map([["image", { ...noCounts(), codes: 9 }]]),
      new Set(["image"]),
      undefined,
    );
    const expected =
      "1 sample, rounding tflite: 0 of 9 codes differ; end to end 0\nimage  9 codes  alone 0  end to end 0";
    assert.equal(printVerification(report), expected);
  });
});
