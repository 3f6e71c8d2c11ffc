import type { WeightLayout } from "../core/granularity.js";
import type { GridOptions } from "../core/grid.js";
import type { Shape } from "../core/shape.js";
import type { StateDict } from "../core/tensor.js";
import type { LayerSettings, PlacementDefaults, TargetSettings } from "../graph/passes/placement-settings.js";
import type { TrainingGrid } from "../graph/training-weights.js";
import { isLayerType } from "../quantizers/layer-types.js";
import type { QATPlan } from "../quantizers/qat.js";
import { weightGrid } from "../quantizers/weight-rule.js";
import type { StateDictLayer } from "./weighted-layers.js";

/** The grid of one weight of a state dict in training. */
export interface StateDictTrainingGrid extends TrainingGrid {
  /** Shape in which `axis` counts, where it is not the weight's own: the view of a depthwise kernel. */
  readonly viewShape?: Shape;
}

/** How the targets of one layer are quantized; what is absent stays as it is. */
export interface LayerTargets {
  readonly weight?: StateDictTrainingGrid;
  readonly input?: GridOptions & { readonly symmetric: boolean };
  readonly output?: GridOptions & { readonly symmetric: boolean };
  /** Of the config list's entry; absent: the schedule's. */
  readonly quantStartStep?: number;
}

/**
 * How each layer of a state dict is quantized.
 *
 * With a config list: exactly the targets that the entry of a layer names. With options: weight, input and output of every
 * layer that has a weight of rank ≥ 2. The first and the last of these, in the order of the state dict, have the ends of the
 * network: their weights, the first one's input and the last one's output take firstLastBits, and that input and that output
 * have at least 8 bits where it is not given (docs/plain-arrays.md).
 *
 * Errors: as QATPlan.settingsFor and weightGrid.
 */
export function qatTargets(
  where: string,
  plan: QATPlan,
  layers: readonly StateDictLayer[],
  state: StateDict,
  layout: WeightLayout,
): ReadonlyMap<string, LayerTargets> {
  const settingsOf = plan.settingsFor(layers, where);
  const weighted = layers.filter(({ weightEntries }) => weightEntries.length > 0);
  return new Map(
    layers.map((layer) => {
      const { name, type } = layer;
      const settings =
        settingsOf === undefined
          ? defaultSettings(plan.defaults, layer, weighted)
          : settingsOf({ id: name, name, className: type, config: {} });
      return [name, settings === undefined ? {} : layerTargets(plan.defaults, layer, settings, state, layout)] as const;
    }),
  );
}

type Settings = Omit<LayerSettings, "index">;

function defaultSettings(
  { weightBits, activationBits, firstLastBits }: PlacementDefaults,
  layer: StateDictLayer,
  weighted: readonly StateDictLayer[],
): Settings | undefined {
  if (layer.weightEntries.length === 0) return undefined;
  const isFirst = layer === weighted[0];
  const isLast = layer === weighted.at(-1);
  return {
    targets: {
      weight: { bits: isFirst || isLast ? (firstLastBits ?? weightBits) : weightBits },
      // What comes in is data of 8 bits as a rule; fewer would throw it away before the first layer.
      input: { bits: isFirst ? (firstLastBits ?? Math.max(8, activationBits)) : activationBits },
      // The result: no weights follow that fewer bits would make cheaper, and fewer make ties.
      output: { bits: isLast ? (firstLastBits ?? Math.max(8, activationBits)) : activationBits },
    },
  };
}

function layerTargets(
  defaults: PlacementDefaults,
  { type, weightEntries }: StateDictLayer,
  { targets, quantStartStep, axis }: Settings,
  state: StateDict,
  layout: WeightLayout,
): LayerTargets {
  const activation = ({ bits, signed = true, symmetric = defaults.symmetric }: TargetSettings) => ({
    bits,
    signed,
    symmetric,
  });
  const { input, output } = targets;
  const [weightEntry] = weightEntries;
  const weight = weightEntry && targets.weight && trainingGrid(weightEntry, targets.weight);
  return {
    ...(weight && { weight }),
    ...(input !== undefined && { input: activation(input) }),
    ...(output !== undefined && { output: activation(output) }),
    ...(quantStartStep !== undefined && { quantStartStep }),
  };

  function trainingGrid(entry: string, target: TargetSettings): StateDictTrainingGrid | undefined {
    const { bits, signed = true, symmetric = true } = target;
    const usual = isLayerType(type, "Linear")
      ? (defaults.denseGranularity ?? defaults.granularity)
      : defaults.granularity;
    const granularity = target.granularity ?? usual;
    const rule = { bits, granularity, layout, ...(axis !== undefined && { axis }) };
    const { shape, type: entryType } = state[entry];
    const grid = weightGrid(entry, shape, entryType, rule);
    return grid && { ...grid, signed, symmetric };
  }
}
