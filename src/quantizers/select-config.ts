/** A layer as configuration sees it. */
export interface LayerInfo {
  readonly name: string;
  /** Kind of layer in NNI's or tfjs's spelling: Conv2d, Linear, Conv2D, Dense … */
  readonly type: string;
}
