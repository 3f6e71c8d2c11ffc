import { nodeBase } from "../graph/build.js";
import type { GlobalPool2dNode, Padding, Pair, Pool2dNode, Upsample2dNode, ValueShape } from "../graph/types.js";
import { alongWidth, type Imported, type LayerUse, type MapConfig, unsupportedMap } from "./layer-use.js";
import { addPlanes, addSequence } from "./through-planes.js";

interface PoolConfig extends MapConfig {
  readonly poolSize: readonly number[];
}

export function importPooling2D(op: Pool2dNode["op"]): (use: LayerUse) => Imported {
  return (use) => {
    const config = use.source.config as unknown as PoolConfig;
    const unsupported = unsupportedMap(config);
    if (unsupported !== undefined) return unsupported;
    const { poolSize, strides, padding } = config;
    const base = nodeBase(use.name, use.source, use.inputs);
    const sizes = { poolSize: poolSize as Pair, strides: strides as Pair, padding: padding as Padding };
    return { value: use.builder.add({ ...base, op, ...sizes }) };
  };
}

/** A pool of height 1 between two reshapes. */
export function importPooling1D(op: Pool2dNode["op"]): (use: LayerUse) => Imported {
  return (use) => {
    const { poolSize, strides, padding } = use.source.config as unknown as PoolConfig;
    const output = use.builder.freshName(`${use.name}/planes`);
    const base = nodeBase(use.name, use.source, [addPlanes(use)], output);
    const sizes = { poolSize: alongWidth(poolSize), strides: alongWidth(strides), padding: padding as Padding };
    return { value: addSequence(use, use.builder.add({ ...base, op, ...sizes })) };
  };
}

export function importGlobalPooling2D(op: GlobalPool2dNode["op"]): (use: LayerUse) => Imported {
  return (use) => {
    const { dataFormat } = use.source.config as unknown as MapConfig;
    if (dataFormat === "channelsFirst") return { reason: "data format channelsFirst" };
    return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op, keepDims: false }) };
  };
}

/** Over a map of height 1. */
export function importGlobalPooling1D(op: GlobalPool2dNode["op"]): (use: LayerUse) => Imported {
  return (use) => {
    const base = nodeBase(use.name, use.source, [addPlanes(use)]);
    return { value: use.builder.add({ ...base, op, keepDims: false }) };
  };
}

export function importZeroPadding2D(use: LayerUse): Imported {
  const { padding, dataFormat } = use.source.config as unknown as {
    readonly padding: readonly [Pair, Pair];
    readonly dataFormat: string;
  };
  if (dataFormat === "channelsFirst") return { reason: "data format channelsFirst" };
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "zeroPad2d", padding }) };
}

export function importUpSampling2D(use: LayerUse): Imported {
  const { size, interpolation, dataFormat } = use.source.config as unknown as {
    readonly size: Pair;
    readonly interpolation: Upsample2dNode["interpolation"];
    readonly dataFormat: string;
  };
  if (dataFormat === "channelsFirst") return { reason: "data format channelsFirst" };
  const base = nodeBase(use.name, use.source, use.inputs);
  return { value: use.builder.add({ ...base, op: "upsample2d", size, interpolation }) };
}

export function importFlatten(use: LayerUse): Imported {
  const { dataFormat } = use.source.config as { readonly dataFormat?: string };
  if (dataFormat === "channelsFirst") return { reason: "data format channelsFirst" };
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "flatten" }) };
}

export function importReshape(use: LayerUse): Imported {
  const { targetShape } = use.source.config as unknown as { readonly targetShape: ValueShape };
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "reshape", targetShape }) };
}

export function importPermute(use: LayerUse): Imported {
  const { dims } = use.source.config as unknown as { readonly dims: readonly number[] };
  const base = nodeBase(use.name, use.source, use.inputs);
  return { value: use.builder.add({ ...base, op: "permute", permutation: [0, ...dims] }) };
}

/** Layers that act in training only. */
export function importDropout(use: LayerUse): Imported {
  const { className, config } = use.source;
  return {
    value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "dropout", className, config }),
  };
}
