import * as tf from "@tensorflow/tfjs";

/** What every layer's configuration has: its name, and after a reload whether it trains. */
export interface LayerConfig {
  readonly name: string;
  readonly trainable?: boolean;
}

/** A layer that is made from one plain object, and is saved as that object. */
export abstract class ConfiguredLayer<Config extends LayerConfig> extends tf.layers.Layer {
  readonly config: Config;

  constructor(config: Config) {
    super({ name: config.name, trainable: config.trainable ?? true });
    this.config = config;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...(this.config as object), ...super.getConfig() } as tf.serialization.ConfigDict;
  }
}
