import { inferShape } from "./shapes.js";
import type {
  EdgeQuantizer,
  Graph,
  GraphNode,
  LayerSource,
  Value,
  ValueShape,
  ValueType,
  WeightInfo,
} from "./types.js";
import { validateGraph } from "./validate.js";

/** Puts a graph together, node by node in topological order. */
export interface GraphBuilder {
  /** A name like `wanted` that is not taken yet, valid for tfjs tensors and layers too. */
  freshName(wanted: string): string;
  /** A name like `wanted` that no value has yet; a node may. */
  freshValue(wanted: string): string;
  /** Declares an input; returns the name of its value. */
  input(name: string, shape: ValueShape, dtype?: ValueType): string;
  /** Declares a weight, the first time its name is met; returns the name. */
  weight(name: string, info: WeightInfo): string;
  /** The shape of a value declared before. */
  shapeOf(value: string): ValueShape;
  /** Adds a node, whose shape is inferred, and returns the name of its value. Opaque nodes: give the shapes. */
  add(node: GraphNode, shapes?: readonly ValueShape[]): string;
  /** Says how a value is quantized. */
  quantize(value: string, quantizer: EdgeQuantizer): void;
  /** The graph, validated. */
  finish(outputs: readonly string[]): Graph;
}

/** A builder of the graph called `name`. Errors, from add and finish: those of inferShape and validateGraph. */
export function buildGraph(name: string): GraphBuilder {
  const inputs: string[] = [];
  const nodes: GraphNode[] = [];
  const values = new Map<string, Value>();
  const weights = new Map<string, WeightInfo>();
  const quantizers = new Map<string, EdgeQuantizer>();
  const taken = new Set<string>();

  const builder: GraphBuilder = {
    freshName(wanted) {
      const valid = wanted.replace(/[^-A-Za-z0-9._/]/g, "_").replace(/^[^A-Za-z0-9]/, "x$&");
      let fresh = valid;
      for (let i = 2; taken.has(fresh); i++) fresh = `${valid}.${i}`;
      taken.add(fresh);
      return fresh;
    },
    freshValue(wanted) {
      taken.add(wanted);
      return values.has(wanted) ? builder.freshName(wanted) : wanted;
    },
    input(value, shape, dtype = "float32") {
      inputs.push(value);
      values.set(value, { shape, dtype });
      return value;
    },
    weight(weight, info) {
      if (!weights.has(weight)) weights.set(weight, info);
      return weight;
    },
    shapeOf: (value) => shapeOf(values, value),
    add(node, shapes) {
      const inferred =
        node.op === "opaque"
          ? undefined
          : [
              inferShape(
                node,
                node.inputs.map((input) => shapeOf(values, input)),
              ),
            ];
      node.outputs.forEach((output, i) => {
        const shape = (shapes ?? inferred)?.[i];
        if (shape === undefined) throw new TypeError(`buildGraph: expected a shape for "${output}", got none`);
        values.set(output, { shape, dtype: "float32" });
      });
      nodes.push(node);
      return node.outputs[0];
    },
    quantize(value, quantizer) {
      quantizers.set(value, quantizer);
    },
    finish(outputs) {
      const graph: Graph = {
        name,
        inputs,
        outputs,
        values: Object.fromEntries(values),
        nodes,
        weights: Object.fromEntries(weights),
        quantizers: Object.fromEntries(quantizers),
      };
      validateGraph(graph);
      return graph;
    },
  };
  return builder;
}

function shapeOf(values: ReadonlyMap<string, Value>, value: string): ValueShape {
  const found = values.get(value);
  if (found === undefined) throw new TypeError(`buildGraph: expected a value declared before, got "${value}"`);
  return found.shape;
}

/** What every node has, with one output named as the node unless `output` says otherwise. */
export function nodeBase(name: string, layer: LayerSource, inputs: readonly string[], output = name) {
  return { name, layer, fused: [], inputs, outputs: [output] } as const;
}
