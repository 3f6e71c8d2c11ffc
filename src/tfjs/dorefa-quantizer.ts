import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import type { DorefaLayerSettings, DorefaSettingsOf } from "../graph/passes/dorefa-settings.js";
import { firstAndLast } from "../graph/passes/first-last.js";
import { placeDorefa } from "../graph/passes/place-dorefa.js";
import { isWeighted } from "../graph/readers.js";
import type { Graph, LayerSource, WeightedNode } from "../graph/types.js";
import { type ConfigEntry, type ConfigList, parseConfigList } from "../quantizers/config-list.js";
import {
  type DoReFaLayer,
  type DoReFaOptions,
  type DoReFaPlan,
  type DoReFaTrainingOptions,
  dorefaPlan,
} from "../quantizers/dorefa-options.js";
import { idleSchedule } from "../quantizers/qat.js";
import { selectConfig } from "../quantizers/select-config.js";
import { type DoReFaReport, dorefaReport } from "./dorefa-report.js";
import { enableWasmTraining } from "./enable-wasm-training.js";
import { importLayersModel } from "./import-layers-model.js";
import { buildModel } from "./simulated/build-model.js";
import { simplifyGraph } from "./simulated/prepare-graph.js";

const WHERE = "DoReFaQuantizer.compress";

/**
 * DoReFa-Net: training with few bits in weights, activations and gradients.
 *
 * Source: Zhou et al. 2016 (docs/dorefa.md, docs/numerics.md).
 */
export class DoReFaQuantizer {
  readonly #plan: DoReFaPlan;
  /** Of a config list. */
  readonly #entries: readonly ConfigEntry[] | undefined;
  #report: DoReFaReport | undefined;

  /**
   * @param config options, or NNI's config list
   * @param training beside a config list: what it cannot say
   *
   * Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices.
   */
  constructor(config: DoReFaOptions | ConfigList = {}, training: DoReFaTrainingOptions = {}) {
    this.#plan = dorefaPlan("DoReFaQuantizer", config, training);
    if (Array.isArray(config)) this.#entries = parseConfigList("DoReFaQuantizer", "DoReFaQuantizer", config);
  }

  /**
   * A new layers model with the same inputs and outputs, not compiled; the given model is untouched.
   *
   * Its layers are the library's own, registered with tfjs: compile, fit, evaluate, save and load work as for any model. With
   * options the first and last layers with weights stay float; batch norms stay layers; a ReLU before a quantized layer becomes
   * a clip to [0, activationBound].
   *
   * Errors: TypeError for anything but a tf.LayersModel; QuantError `invalid-config` for names and types the model lacks and for a
   * list that selects nothing, `invalid-model` for a model without layers between the first and the last, `unsupported` for a
   * layer whose class is not registered.
   */
  compress(model: tf.LayersModel): tf.LayersModel {
    const { graph, weights } = importLayersModel(model);
    const settingsOf = this.#settingsFor(graph);
    const { seed, activation } = this.#plan;
    const placed = placeDorefa(simplifyGraph(graph), { seed, activation }, settingsOf);
    if (tf.getBackend() === "wasm") enableWasmTraining();
    const simulated = buildModel(placed, weights, idleSchedule());
    this.#report = dorefaReport(placed, weights);
    return simulated;
  }

  /** What the last compress did: bytes and SQNR per tensor, and the layers that stay float. */
  report(): DoReFaReport {
    if (this.#report === undefined) {
      throw new QuantError(
        "invalid-model",
        "DoReFaQuantizer.report: expected a compressed model, got none; call compress first",
      );
    }
    return this.#report;
  }

  #settingsFor(graph: Graph): DorefaSettingsOf {
    const parts = partsOf(graph);
    const found = this.#plan.layersOf(
      parts.map(({ layer, weights, isFirst, isLast }) => {
        return { name: layer.name, type: layer.className, hasWeights: weights !== undefined, isFirst, isLast };
      }),
      WHERE,
    );
    if (this.#entries !== undefined && found.every(isUntouched)) {
      throw new QuantError(
        "invalid-config",
        `${WHERE}: expected config entries that select a weight, input or output to quantize, got none in "${graph.name}"`,
      );
    }
    const settings = new Map<string, DorefaLayerSettings>();
    for (const [i, { layer, weights }] of parts.entries()) {
      const { name: _, ...bits } = found[i];
      const entry = selectConfig(this.#entries ?? [], { name: layer.name, type: layer.className });
      const own = { ...bits, index: entry?.index ?? 0 };
      if (!settings.has(layer.id)) settings.set(layer.id, own);
      if (weights !== undefined) settings.set(`${layer.id} ${weights}`, own);
    }
    return ({ id }, weights) => settings.get(weights === undefined ? id : `${id} ${weights}`);
  }
}

function isUntouched({ tensor, input, output }: DoReFaLayer): boolean {
  return tensor === undefined && input === UNTOUCHED_BITS && output === UNTOUCHED_BITS;
}

/** A layer, or one of its parts with weights (a separable convolution has two), as configuration sees it. */
interface Part {
  readonly layer: LayerSource;
  readonly weights: string | undefined;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Every layer of the model, in the model's order. All parts of a first layer are first. */
function partsOf(graph: Graph): readonly Part[] {
  const { first, last } = firstAndLast(graph);
  const idsOf = (nodes: ReadonlySet<WeightedNode>) => new Set([...nodes].map(({ layer }) => layer.id));
  const [firstIds, lastIds] = [idsOf(first), idsOf(last)];
  const withWeights = new Set(graph.nodes.filter(isWeighted).map(({ layer }) => layer.id));
  const parts = new Map<string, Part>();
  for (const node of graph.nodes) {
    const { layer } = node;
    const weights = isWeighted(node) ? node.weights : undefined;
    if (weights === undefined && withWeights.has(layer.id)) continue;
    parts.set(`${layer.id} ${weights ?? ""}`, {
      layer,
      weights,
      isFirst: firstIds.has(layer.id),
      isLast: lastIds.has(layer.id),
    });
  }
  return [...parts.values()];
}
