import { checkGrid, type Grid } from "./grid.js";
import { type ChannelView, channelView, checkShape, resolveAxis, type Shape, tensorView } from "./shape.js";

/**
 * Quantization parameters: real = scale · (q − zeroPoint), q an integer in [qmin, qmax].
 *
 * Numbers mean one pair for the tensor; arrays and `axis` mean one pair per channel along that axis.
 * Plain data: it can be stored, sent and compared.
 */
export interface QuantParams extends Grid {
  /** > 0, a float32 (numbers are rounded to float32 where they are used). */
  readonly scale: number | Float32Array;
  /** In [qmin, qmax]. */
  readonly zeroPoint: number | Int32Array;
  /** Channel axis of per-channel parameters; −1 is the last. */
  readonly axis?: number;
}

/** Where the channels of per-channel parameters are. */
export interface ShapeOption {
  /** Shape of x, needed with per-channel parameters. */
  readonly shape?: Shape;
}

/** QuantParams checked against one tensor: one entry per channel, and how channels lie in it. */
export interface ResolvedParams extends Grid {
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly view: ChannelView;
}

/**
 * Checks parameters against a tensor of `length` elements and spreads them to one entry per channel.
 *
 * Throws TypeError or RangeError naming the field, what was expected and what was found.
 */
export function resolveParams(
  where: string,
  params: QuantParams,
  length: number,
  { shape }: ShapeOption = {},
): ResolvedParams {
  if (typeof params !== "object" || params === null) {
    throw new TypeError(`${where}: expected params { scale, zeroPoint, qmin, qmax }, got ${String(params)}`);
  }
  checkGrid(where, params);
  const { qmin, qmax } = params;
  const scaleFits = typeof params.scale === "number" || params.scale instanceof Float32Array;
  const zeroPointFits = typeof params.zeroPoint === "number" || params.zeroPoint instanceof Int32Array;
  if (!scaleFits || !zeroPointFits) {
    throw new TypeError(`${where}: expected scale as a number or Float32Array and zeroPoint as a number or Int32Array`);
  }
  const perChannel = typeof params.scale !== "number" || typeof params.zeroPoint !== "number";
  const view = perChannel ? viewOf(where, params, length, shape) : tensorView(length);
  if (!perChannel && shape !== undefined) checkShape(where, shape, length);
  // Copies: an array in linear memory would be detached when that grows.
  const scale =
    typeof params.scale === "number" ? new Float32Array(view.channels).fill(params.scale) : params.scale.slice();
  const zeroPoint =
    typeof params.zeroPoint === "number"
      ? new Int32Array(view.channels).fill(params.zeroPoint)
      : params.zeroPoint.slice();
  if (scale.length !== view.channels || zeroPoint.length !== view.channels) {
    throw new RangeError(
      `${where}: expected ${view.channels} scales and zero points, got ${scale.length} and ${zeroPoint.length}`,
    );
  }
  for (let c = 0; c < view.channels; c++) {
    const s = scale[c];
    const z = typeof params.zeroPoint === "number" ? params.zeroPoint : zeroPoint[c];
    if (!(s > 0 && s < Number.POSITIVE_INFINITY)) {
      throw new RangeError(
        `${where}: expected scale > 0 and finite in float32, got ${s}${perChannel ? ` at channel ${c}` : ""}`,
      );
    }
    if (!Number.isInteger(z) || z < qmin || z > qmax) {
      throw new RangeError(
        `${where}: expected an integer zeroPoint in [${qmin}, ${qmax}], got ${z}${perChannel ? ` at channel ${c}` : ""}`,
      );
    }
  }
  return { qmin, qmax, scale, zeroPoint, view };
}

function viewOf(where: string, params: QuantParams, length: number, shape: Shape | undefined): ChannelView {
  if (params.axis === undefined || shape === undefined) {
    throw new TypeError(
      `${where}: expected params.axis and options.shape with per-channel params, got axis ${params.axis}, shape ${shape}`,
    );
  }
  checkShape(where, shape, length);
  return channelView(shape, resolveAxis(where, params.axis, shape.length));
}
