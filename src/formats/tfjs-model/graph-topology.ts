import type { Shape } from "../../core/shape.js";
import { isJson, type Json } from "./artifacts.js";
import { depthwiseView, type QuantizableWeight } from "./quantizable.js";

// GraphDef JSON of a graph model: which constants are weights, and how scales are put on them.

/** Whether a topology is GraphDef JSON. */
export function isGraphTopology(topology: unknown): topology is Json {
  return isJson(topology) && Array.isArray(topology.node);
}

/** Every node of a graph. */
export function nodesOf(topology: Json): { readonly name: string; readonly type: string }[] {
  return (topology.node as unknown[]).filter(isJson).map(({ name, op }) => ({ name: String(name), type: String(op) }));
}

interface WeightInput {
  /** Which input of the node holds the weights. */
  readonly input: number;
  /** Axis of the output channels for a weight of this rank. */
  readonly axis: (rank: number, node: Json) => number;
  readonly rank: number;
  readonly depthwise?: boolean;
}

const last = (rank: number): number => rank - 1;
const matmul = (rank: number, node: Json): number => (flag(node, "transpose_b") ? rank - 2 : rank - 1);

/** Ops that read weights. Fused forms are written by the tfjs converter. */
const WEIGHT_INPUTS: Readonly<Record<string, WeightInput>> = {
  Conv2D: { input: 1, rank: 4, axis: last },
  _FusedConv2D: { input: 1, rank: 4, axis: last },
  Conv3D: { input: 1, rank: 5, axis: last },
  DepthwiseConv2d: { input: 1, rank: 4, axis: last, depthwise: true },
  DepthwiseConv2dNative: { input: 1, rank: 4, axis: last, depthwise: true },
  FusedDepthwiseConv2dNative: { input: 1, rank: 4, axis: last, depthwise: true },
  Conv2DBackpropInput: { input: 1, rank: 4, axis: (rank) => rank - 2 },
  MatMul: { input: 1, rank: 2, axis: matmul },
  _FusedMatMul: { input: 1, rank: 2, axis: matmul },
  Gather: { input: 0, rank: 2, axis: last },
  GatherV2: { input: 0, rank: 2, axis: last },
};

/** The constants of rank ≥ 2 that convolutions, matrix products and embeddings read, straight or through Identity. */
export function quantizableGraphWeights(
  topology: Json,
  weights: readonly { readonly name: string; readonly shape: Shape }[],
): QuantizableWeight[] {
  const nodes = (topology.node as unknown[]).filter(isJson);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]));
  const found = new Map<string, QuantizableWeight>();
  for (const node of nodes) {
    const use = Object.hasOwn(WEIGHT_INPUTS, String(node.op)) ? WEIGHT_INPUTS[String(node.op)] : undefined;
    if (use === undefined || !Array.isArray(node.input)) continue;
    const source = constantBehind(node.input[use.input], byName);
    const shape = source === undefined ? undefined : shapes.get(source);
    if (source === undefined || shape === undefined || shape.length !== use.rank || found.has(source)) continue;
    found.set(source, {
      name: source,
      layer: { name: String(node.name), type: String(node.op) },
      viewShape: use.depthwise ? depthwiseView(shape) : shape,
      axis: use.axis(shape.length, node),
    });
  }
  return [...found.values()];
}

/** A weight that became codes times scales. */
export interface ScaledConstant {
  readonly name: string;
  readonly codes: string;
  readonly scales: string;
  /** Shape of the scales: broadcasts over the codes. */
  readonly scaleShape: Shape;
}

/**
 * Replaces each named constant by codes · scales: two constants and a Mul node under the old name.
 *
 * Whatever read the constant reads the product, whose values are fl(q · scale): the same bits as before.
 */
export function scaleConstants(topology: Json, scaled: readonly ScaledConstant[]): Json {
  const byName = new Map(scaled.map((constant) => [constant.name, constant]));
  const node = (topology.node as unknown[]).flatMap((original): unknown[] => {
    const constant = isJson(original) ? byName.get(original.name as string) : undefined;
    if (constant === undefined) return [original];
    const { name, codes, scales, scaleShape } = constant;
    return [
      { ...(original as Json), name: codes },
      { ...(original as Json), name: scales, attr: constantAttributes(scaleShape) },
      { name, op: "Mul", input: [codes, scales], attr: { T: { type: "DT_FLOAT" } } },
    ];
  });
  return { ...topology, node };
}

function constantAttributes(shape: Shape): Json {
  const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
  return { dtype: { type: "DT_FLOAT" }, value: { tensor: { dtype: "DT_FLOAT", tensorShape } } };
}

function constantBehind(input: unknown, nodes: ReadonlyMap<unknown, Json>): string | undefined {
  let name = typeof input === "string" ? input.replace(/:0$/, "") : undefined;
  for (let hops = 0; hops < 16; hops++) {
    const node = nodes.get(name);
    if (node === undefined) return undefined;
    if (node.op === "Const") return name;
    if (node.op !== "Identity" || !Array.isArray(node.input) || typeof node.input[0] !== "string") return undefined;
    name = node.input[0].replace(/:0$/, "");
  }
  return undefined;
}

function flag(node: Json, name: string): boolean {
  const attribute = isJson(node.attr) ? node.attr[name] : undefined;
  return isJson(attribute) && attribute.b === true;
}
