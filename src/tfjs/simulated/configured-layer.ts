import * as tf from "@tensorflow/tfjs";

/** What every layer's configuration has: its name, and after a reload whether it trains. */
export interface LayerConfig {
  readonly name: string;
  readonly trainable?: boolean;
}

/**
 * A layer that is made from one plain object, and is saved as that object.
 *
 * tfjs changes the strings of a configuration on their way into a file and back ("bn_last" becomes "bnLast"), but for those under
 * the key `name`: so the object is saved as JSON, under that key.
 */
export abstract class ConfiguredLayer<Config extends LayerConfig> extends tf.layers.Layer {
  readonly config: Config;

  constructor(config: Config) {
    super({ name: config.name, trainable: config.trainable ?? true });
    this.config = config;
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    saved: tf.serialization.ConfigDict,
  ): T {
    const { json, ...common } = saved as { readonly json: { readonly name: string } };
    return new cls({ ...JSON.parse(json.name), ...common });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), json: { name: JSON.stringify(this.config) } };
  }
}
