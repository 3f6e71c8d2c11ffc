import assert from "node:assert/strict";
import test from "node:test";
import { calibrationConfig } from "../../src/quantizers/calibration-config.js";

test("one record per layer and target, in NNI v3's words, as plain data", () => {
  const params = { scale: 0.5, zeroPoint: 128, qmin: 0, qmax: 255 };
  const perChannel = {
    scale: Float32Array.of(0.5, 2),
    zeroPoint: Int32Array.of(0, 0),
    qmin: -7,
    qmax: 7,
    axis: 3,
  };
  const config = calibrationConfig(
    new Map([
      [
        "conv",
        {
          output: { params, symmetric: false, range: { min: [-64], max: [63.5] } },
          weight: {
            params: perChannel,
            symmetric: true,
            range: { min: Float32Array.of(-3.5, 0), max: Float32Array.of(1, 14) },
          },
        },
      ],
      ["untouched", {}],
      ["softmax", { output: { params: { scale: 1 / 256, zeroPoint: -128, qmin: -128, qmax: 127 }, symmetric: false } }],
    ]),
  );
  assert.deepEqual(config, {
    conv: {
      weight: {
        scale: [0.5, 2],
        zero_point: [0, 0],
        quant_dtype: "int4",
        quant_scheme: "symmetric",
        quant_bits: 4,
        qmin: -7,
        qmax: 7,
        axis: 3,
        tracked_max: [1, 14],
        tracked_min: [-3.5, 0],
      },
      _output_0: {
        scale: [0.5],
        zero_point: [128],
        quant_dtype: "uint8",
        quant_scheme: "affine",
        quant_bits: 8,
        qmin: 0,
        qmax: 255,
        tracked_max: [63.5],
        tracked_min: [-64],
      },
    },
    softmax: {
      _output_0: {
        scale: [1 / 256],
        zero_point: [-128],
        quant_dtype: "int8",
        quant_scheme: "affine",
        quant_bits: 8,
        qmin: -128,
        qmax: 127,
      },
    },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
});
