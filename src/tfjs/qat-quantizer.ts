import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { placeQuantizers } from "../graph/passes/place-quantizers.js";
import type { Graph } from "../graph/types.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { type QATOptions, type QATPlan, type QATSchedule, qatPlan } from "../quantizers/qat.js";
import type { LayerInfo } from "../quantizers/select-config.js";
import { enableWasmTraining } from "./enable-wasm-training.js";
import { importLayersModel } from "./import-layers-model.js";
import { type QATReport, qatReport } from "./qat-report.js";
import { buildModel } from "./simulated/build-model.js";
import { prepareGraph } from "./simulated/prepare-graph.js";

const WHERE = "QATQuantizer.compress";

/**
 * Quantization-aware training: a model that trains as usual and computes what integers will.
 *
 * Weights and activations are rounded to their grids in the forward pass, where an integer runtime quantizes them; gradients pass
 * straight through. Batch normalization is folded into the weights, activations fused.
 * Source: Jacob et al. 2018; Krishnamoorthi 2018 (docs/qat.md, docs/numerics.md).
 */
export class QATQuantizer {
  readonly #plan: QATPlan;
  #report: QATReport | undefined;

  /**
   * @param config options, or NNI's config list
   * @param schedule beside a config list: when rounding and freezing begin
   *
   * Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices.
   */
  constructor(config: QATOptions | ConfigList = {}, schedule: QATSchedule = {}) {
    this.#plan = qatPlan("QATQuantizer", config, schedule);
  }

  /**
   * A new layers model with the same inputs and outputs, not compiled; the given model is untouched.
   *
   * Its layers are the library's own, registered with tfjs: compile, fit, evaluate, save and load work as for any model. Layers
   * that integers cannot compute stay float and trainable; report() lists them.
   *
   * Errors: TypeError for anything but a tf.LayersModel; QuantError `invalid-config` for names and types the model lacks and for a
   * list that selects nothing, `invalid-model` for a model with nothing to quantize, `unsupported` for a layer whose class is not
   * registered.
   */
  compress(model: tf.LayersModel): tf.LayersModel {
    const { graph, weights } = importLayersModel(model);
    const settings = this.#plan.settingsFor(layersOf(graph), WHERE);
    const prepared = prepareGraph(graph);
    const placed = placeQuantizers(prepared, this.#plan.defaults, settings);
    if (Object.keys(placed.quantizers).length === 0 && !placed.nodes.some((node) => "weightGrid" in node)) {
      const [code, expected] =
        settings === undefined
          ? (["invalid-model", "a model with layers to quantize"] as const)
          : (["invalid-config", "config entries that select a weight, input or output to quantize"] as const);
      throw new QuantError(code, `${WHERE}: expected ${expected}, got none in "${graph.name}"`);
    }
    if (tf.getBackend() === "wasm") enableWasmTraining();
    const simulated = buildModel(placed, weights, this.#plan.schedule);
    this.#report = tf.tidy(() => qatReport(placed, weights, simulated) as QATReport & tf.TensorContainer);
    return simulated;
  }

  /** What the last compress did: bytes and SQNR per tensor, and the layers that stay float. */
  report(): QATReport {
    if (this.#report === undefined) {
      throw new QuantError(
        "invalid-model",
        "QATQuantizer.report: expected a compressed model, got none; call compress first",
      );
    }
    return this.#report;
  }
}

/** Every layer of the model as configuration sees it, in the model's order. */
function layersOf({ nodes }: Graph): LayerInfo[] {
  const layers = new Map(nodes.map(({ layer }) => [layer.id, { name: layer.name, type: layer.className }]));
  return [...layers.values()];
}
