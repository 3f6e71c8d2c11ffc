import * as tf from "@tensorflow/tfjs";
import type { JsonObject } from "../../graph/types.js";

type Regularizer = ReturnType<typeof tf.regularizers.l1l2>;
type Constraint = ReturnType<typeof tf.constraints.nonNeg>;

interface Serialized {
  readonly className: string;
  readonly config: object;
}

/** A layer's own regularizer of a variable ("kernel", "gamma" …), as its configuration says. */
export function regularizerOf(config: JsonObject, role: string): Regularizer | undefined {
  return made<Regularizer>(config[`${partName(config, role)}Regularizer`]);
}

/** A layer's own constraint of a variable. */
export function constraintOf(config: JsonObject, role: string): Constraint | undefined {
  return made<Constraint>(config[`${partName(config, role)}Constraint`]);
}

/** The kernel of the second half of a separable convolution is the layer's pointwise one. */
function partName(config: JsonObject, role: string): string {
  if (role === "kernel" && "pointwiseInitializer" in config) return "pointwise";
  return role === "depthwise_kernel" ? "depthwise" : role;
}

function made<T>(part: unknown): T | undefined {
  if (part === undefined || part === null) return undefined;
  const serialized = part as Serialized;
  const found = tf.serialization.SerializationMap.getMap().classNameMap[serialized.className];
  if (found === undefined) return undefined;
  const [cls, fromConfig] = found;
  return fromConfig(cls, { ...serialized.config } as tf.serialization.ConfigDict) as unknown as T;
}

/**
 * A stock layer (or another registered one) from its class name and configuration.
 *
 * The configuration is copied: some of tfjs's fromConfig change what they are given.
 */
export function stockLayer(className: string, config: object): tf.layers.Layer {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className];
  const copy = JSON.parse(JSON.stringify(config)) as tf.serialization.ConfigDict;
  return fromConfig(cls, copy) as unknown as tf.layers.Layer;
}
