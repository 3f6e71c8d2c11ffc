import { QuantError } from "../core/errors.js";
import type { QuantizedTensor } from "../core/tensor.js";
import { modelLayers, quantizableWeights } from "../formats/tfjs-model/quantized-artifacts.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { type NaiveOptions, type NaivePlanner, naivePlanner } from "../quantizers/naive.js";
import { quantizeModelWeights } from "../quantizers/quantize-model-weights.js";
import type { Report } from "../quantizers/report.js";
import { dequantize } from "../wasm/dequantize.js";
import { copyModel, readLiveModel, type TfjsModel } from "./live-model.js";
import { quantizationMetadata } from "./metadata.js";

/**
 * Quantizes the weights of a tfjs model: no data, no training.
 *
 * Every weight of rank ≥ 2 of a layer with weights goes to the signed, symmetric, narrow grid ([−127, 127] for 8 bits), one
 * scale per output channel by default; biases and normalization stay float32. Rounding: to nearest, ties to even.
 * Source: NNI's NaiveQuantizer, with the rounding of Jacob et al. 2018 (docs/numerics.md).
 */
export class NaiveQuantizer {
  readonly #planner: NaivePlanner;
  #report: Report | undefined;

  /** Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices. */
  constructor(config: NaiveOptions | ConfigList = {}) {
    this.#planner = naivePlanner("NaiveQuantizer", config);
  }

  /**
   * A new working model whose weights lie on the integer grid; the given model is untouched.
   *
   * Save it with saveHandler or toArtifacts to store one byte per weight. A layers model comes back uncompiled.
   *
   * Errors: TypeError for anything but a tf.LayersModel or tf.GraphModel; QuantError `invalid-model` for a model without
   * weights of rank ≥ 2, `non-finite` naming tensor and index for NaN or ±Infinity.
   */
  compress<M extends TfjsModel>(model: M): M {
    const where = "NaiveQuantizer.compress";
    const live = readLiveModel(where, model);
    const floats = live.weights.filter(({ tensor }) => tensor.dtype === "float32");
    const structure = { modelTopology: live.topology };
    const specs = floats.map(({ name, shape }) => ({ spec: { name, shape, dtype: "float32" as const } }));
    const { quantized, report } = quantizeModelWeights(
      where,
      structure,
      floats.map(({ name, shape, tensor }) => ({ name, read: () => ({ data: tensor.dataSync<"float32">(), shape }) })),
      quantizableWeights(structure, specs),
      this.#planner(modelLayers(structure), where),
    );
    const copy = copyModel(
      where,
      model,
      live,
      gridValues(quantized),
      quantizationMetadata("NaiveQuantizer", quantized),
    );
    this.#report = report;
    return copy as M;
  }

  /** What the last compress did: bytes, as saveHandler and toArtifacts store them, and SQNR per tensor and in all. */
  report(): Report {
    if (this.#report === undefined) {
      throw new QuantError(
        "invalid-model",
        "NaiveQuantizer.report: expected a compressed model, got none; call compress first",
      );
    }
    return this.#report;
  }
}

function gridValues(quantized: ReadonlyMap<string, QuantizedTensor>): Map<string, Float32Array> {
  return new Map([...quantized].map(([name, { data, shape, params }]) => [name, dequantize(data, params, { shape })]));
}
