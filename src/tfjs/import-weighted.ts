import { nodeBase } from "../graph/build.js";
import type { Padding, Pair } from "../graph/types.js";
import { withActivation } from "./import-activation.js";
import {
  alongWidth,
  type Imported,
  type LayerUse,
  type LayerWeight,
  type MapConfig,
  unsupportedMap,
} from "./layer-use.js";
import { addPlanes, addSequence } from "./through-planes.js";

interface ConvConfig extends MapConfig {
  readonly dilationRate: readonly number[];
  readonly activation: string;
}

/** The shape of a convolution's weights. */
type Shape4 = readonly [number, number, number, number];

export function importConv2D(use: LayerUse): Imported {
  const config = use.source.config as unknown as ConvConfig;
  const unsupported = unsupportedMap(config);
  if (unsupported !== undefined) return unsupported;
  const kernel = weightOf(use, "kernel");
  const value = withActivation(use, config.activation, use.name, (output) =>
    use.builder.add({
      ...nodeBase(use.name, use.source, use.inputs, output),
      op: "conv2d",
      ...linearFields(use, kernel.name, biasOf(use)),
      weightsShape: kernel.shape as Shape4,
      strides: config.strides as Pair,
      dilations: config.dilationRate as Pair,
      padding: config.padding as Padding,
    }),
  );
  return { value };
}

/** A conv2d of height 1 between two reshapes. */
export function importConv1D(use: LayerUse): Imported {
  const config = use.source.config as unknown as ConvConfig;
  const unsupported = unsupportedMap(config);
  if (unsupported !== undefined) return unsupported;
  const kernel = weightOf(use, "kernel");
  const input = addPlanes(use);
  const map = withActivation(use, config.activation, use.builder.freshName(`${use.name}/planes`), (output) =>
    use.builder.add({
      ...nodeBase(use.name, use.source, [input], output),
      op: "conv2d",
      ...linearFields(use, kernel.name, biasOf(use)),
      weightsShape: [1, ...kernel.shape] as unknown as Shape4,
      strides: alongWidth(config.strides),
      dilations: alongWidth(config.dilationRate),
      padding: config.padding as Padding,
    }),
  );
  return { value: addSequence(use, map) };
}

/** tfjs ignores the dilation rate of its DepthwiseConv2D: so does the import, to compute the same. */
export function importDepthwiseConv2D(use: LayerUse): Imported {
  const config = use.source.config as unknown as ConvConfig;
  const unsupported = unsupportedMap(config);
  if (unsupported !== undefined) return unsupported;
  const kernel = weightOf(use, "depthwise_kernel");
  const value = withActivation(use, config.activation, use.name, (output) =>
    use.builder.add({
      ...nodeBase(use.name, use.source, use.inputs, output),
      op: "depthwiseConv2d",
      ...linearFields(use, kernel.name, biasOf(use)),
      weightsShape: kernel.shape as Shape4,
      strides: config.strides as Pair,
      dilations: [1, 1],
      padding: config.padding as Padding,
    }),
  );
  return { value };
}

/** A depthwiseConv2d without bias, and a conv2d of 1 × 1 with bias and activation. */
export function importSeparableConv2D(use: LayerUse): Imported {
  const config = use.source.config as unknown as ConvConfig;
  const unsupported = unsupportedMap(config);
  if (unsupported !== undefined) return unsupported;
  const { builder, name, source } = use;
  const depthwise = weightOf(use, "depthwise_kernel");
  const pointwise = weightOf(use, "pointwise_kernel");
  const inner = builder.freshName(`${name}/depthwise`);
  const between = builder.add({
    ...nodeBase(inner, source, use.inputs),
    op: "depthwiseConv2d",
    ...linearFields(use, depthwise.name, undefined),
    weightsShape: depthwise.shape as Shape4,
    strides: config.strides as Pair,
    dilations: config.dilationRate as Pair,
    padding: config.padding as Padding,
  });
  const value = withActivation(use, config.activation, name, (output) =>
    builder.add({
      ...nodeBase(name, source, [between], output),
      op: "conv2d",
      ...linearFields(use, pointwise.name, biasOf(use)),
      weightsShape: pointwise.shape as Shape4,
      strides: [1, 1],
      dilations: [1, 1],
      padding: "valid",
    }),
  );
  return { value };
}

export function importDense(use: LayerUse): Imported {
  const { activation } = use.source.config as { readonly activation: string };
  const kernel = weightOf(use, "kernel");
  const value = withActivation(use, activation, use.name, (output) =>
    use.builder.add({
      ...nodeBase(use.name, use.source, use.inputs, output),
      op: "dense",
      ...linearFields(use, kernel.name, biasOf(use)),
      weightsShape: kernel.shape as readonly [number, number],
    }),
  );
  return { value };
}

/** Over the last axis only. */
export function importBatchNormalization(use: LayerUse): Imported {
  const config = use.source.config as unknown as { readonly axis: number; epsilon: number; momentum: number };
  const { axis, epsilon, momentum } = config;
  const last = use.builder.shapeOf(use.inputs[0]).length - 1;
  if (axis !== -1 && axis !== last) return { reason: `axis ${axis}` };
  const gamma = use.weights.get("gamma");
  const beta = use.weights.get("beta");
  const value = use.builder.add({
    ...nodeBase(use.name, use.source, use.inputs),
    op: "batchNorm",
    ...(gamma !== undefined && { gamma: gamma.name }),
    ...(beta !== undefined && { beta: beta.name }),
    mean: weightOf(use, "moving_mean").name,
    variance: weightOf(use, "moving_variance").name,
    epsilon,
    momentum,
    activation: "linear",
    trainable: use.trainable,
  });
  return { value };
}

function linearFields({ trainable }: LayerUse, weights: string, bias: string | undefined) {
  return { weights, ...(bias !== undefined && { bias }), activation: "linear", trainable } as const;
}

function biasOf({ weights }: LayerUse): string | undefined {
  return weights.get("bias")?.name;
}

function weightOf({ weights, name }: LayerUse, own: string): LayerWeight {
  const found = weights.get(own);
  if (found === undefined) throw new TypeError(`importLayersModel: expected weight "${own}" of "${name}", got none`);
  return found;
}
