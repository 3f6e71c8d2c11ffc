/** How channels lie in the tensors of the per-channel rows, each of about 2^16 elements. */
export interface ChannelLayout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly channels: number;
  /** Elements between one channel and the next. */
  readonly inner: number;
  readonly elements: number;
}

/** Channels last as tfjs lays weights out, many and few, and first as PyTorch does. */
export const CHANNEL_LAYOUTS: readonly ChannelLayout[] = [
  layout("32 channels, last", [2048, 32], 1),
  layout("10 channels, last", [6554, 10], 1),
  layout("3 channels, last", [21846, 3], 1),
  layout("1001 channels, last", [66, 1001], 1),
  layout("3x3 depthwise, first", [7282, 1, 3, 3], 0),
  layout("3x3, first", [114, 64, 3, 3], 0),
];

function layout(name: string, shape: readonly number[], axis: number): ChannelLayout {
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  return { name, shape, axis, channels: shape[axis], inner: product(shape.slice(axis + 1)), elements: product(shape) };
}

/** One scale and zero point per channel, all different. */
export function channelParams({ channels, axis }: ChannelLayout): {
  scale: Float32Array;
  zeroPoint: Int32Array;
  qmin: number;
  qmax: number;
  axis: number;
} {
  return {
    scale: Float32Array.from({ length: channels }, (_, c) => 0.02 + 0.01 * ((c * 7) % 11)),
    zeroPoint: Int32Array.from({ length: channels }, (_, c) => (c % 9) - 4),
    qmin: -128,
    qmax: 127,
    axis,
  };
}
