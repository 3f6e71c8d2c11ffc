import { nodeBase } from "../graph/build.js";
import type { Imported, LayerUse } from "./layer-use.js";

/** Add and Multiply: n inputs are n − 1 nodes, from left to right as tfjs computes them. */
export function importArithmetic(op: "add" | "multiply"): (use: LayerUse) => Imported {
  return ({ builder, name, source, inputs }) => {
    const ranks = new Set(inputs.map((input) => builder.shapeOf(input).length));
    if (ranks.size > 1) return { reason: `inputs of ranks ${[...ranks].join(" and ")}` };
    const value = inputs.reduce((sum, input, i) => {
      const step = i === inputs.length - 1 ? name : builder.freshName(`${name}/${i}`);
      return builder.add({ ...nodeBase(step, source, [sum, input]), op, activation: "linear" });
    });
    return { value };
  };
}

export function importConcatenate({ builder, name, source, inputs }: LayerUse): Imported {
  const { axis: given } = source.config as { readonly axis: number };
  const axis = given < 0 ? given + builder.shapeOf(inputs[0]).length : given;
  if (axis === 0) return { reason: "axis 0" };
  return { value: builder.add({ ...nodeBase(name, source, inputs), op: "concat", axis }) };
}
