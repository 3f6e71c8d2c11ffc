import type { ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import { modelLayers, quantizableWeights, quantizedArtifacts } from "../formats/tfjs-model/quantized-artifacts.js";
import { decodeFloats, splitWeights } from "../formats/tfjs-model/weight-data.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { type NaiveOptions, naivePlanner } from "../quantizers/naive.js";
import { quantizeModelWeights } from "../quantizers/quantize-model-weights.js";
import type { Report } from "../quantizers/report.js";

/** How far a run is, in weights. */
export interface WeightProgress {
  /** The weight whose turn it is. */
  readonly name: string;
  /** Weights before it. */
  readonly done: number;
  readonly total: number;
}

/**
 * Quantizes the weights of a tfjs model that is only data, without tfjs: what NaiveQuantizer of bitpress/tfjs does to a live
 * model, stored with one byte per weight in a form that stock tfjs loads.
 *
 * Weights already stored in uint8, uint16 or float16 are decoded first; those that are not quantized here pass through as
 * they are stored.
 *
 * @param artifacts a layers model or graph model (readTfjs, or what a tf.io handler gets)
 * @param config options or config list of NaiveQuantizer
 * @param onProgress called before every weight
 *
 * Errors: as NaiveQuantizer; QuantError `invalid-file` for weight data that does not match its specs.
 *
 * @example
 * const spec = { name: "fc/kernel", shape: [1, 2], dtype: "float32" };
 * const modelTopology = { class_name: "Sequential", config: [{ class_name: "Dense", config: { name: "fc" } }] };
 * const { report } = quantizeTfjs({ modelTopology, weightSpecs: [spec], weightData: Float32Array.of(1, -2).buffer });
 * report.bytesBefore; // 8
 */
export function quantizeTfjs(
  artifacts: ModelArtifacts,
  config: NaiveOptions | ConfigList = {},
  onProgress?: (progress: WeightProgress) => void,
): { artifacts: ModelArtifacts; report: Report } {
  const where = "quantizeTfjs";
  const planner = naivePlanner(where, config);
  const stored = splitWeights(artifacts);
  const floats = stored.filter(({ spec }) => spec.dtype === "float32");
  const { quantized, report } = quantizeModelWeights(
    where,
    artifacts,
    floats.map((weight, done) => ({
      name: weight.spec.name,
      read: () => {
        onProgress?.({ name: weight.spec.name, done, total: floats.length });
        return { data: decodeFloats(weight), shape: weight.spec.shape };
      },
    })),
    quantizableWeights(artifacts, stored),
    planner(modelLayers(artifacts)),
  );
  return { artifacts: quantizedArtifacts(artifacts, quantized), report };
}
