import { nodeBase } from "../graph/build.js";
import type { LayerUse } from "./layer-use.js";

/** Sees a sequence [batch, length, channels] as a map [batch, 1, length, channels]; returns the map's value. */
export function addPlanes({ builder, name, source, inputs: [input] }: LayerUse): string {
  const [, length, channels] = builder.shapeOf(input);
  const node = nodeBase(builder.freshName(`${name}/expand`), source, [input]);
  return builder.add({ ...node, op: "reshape", targetShape: [1, length, channels] });
}

/** Sees the map [batch, 1, length, channels] as a sequence again: what the layer gives. Returns its value. */
export function addSequence({ builder, name, source }: LayerUse, map: string): string {
  const [, , length, channels] = builder.shapeOf(map);
  const node = nodeBase(builder.freshName(`${name}/squeeze`), source, [map], name);
  return builder.add({ ...node, op: "reshape", targetShape: [length, channels] });
}
