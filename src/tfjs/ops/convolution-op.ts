import type * as tf from "@tensorflow/tfjs";
import type { ConvGeometry } from "../../core/conv-geometry.js";
import { formatShape } from "../../core/shape.js";
import type { KernelCall } from "../../wasm/kernel-call.js";
import { withBuffers } from "../backend-memory.js";
import { convGeometry } from "../conv-geometry.js";
import { type Op, runKernel, stockKernel } from "./run-op.js";

/** How a 2D convolution lies over its input; height first. Strides or dilations are 1. */
export interface ConvolutionOptions {
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly padding: "same" | "valid";
}

/** Attributes of the kernels; the names that stock kernels read. */
export interface ConvolutionAttributes {
  readonly strides: [number, number];
  readonly dilations: [number, number];
  readonly pad: "same" | "valid";
  readonly dataFormat: "NHWC";
  /** Of the gradients: shape of what they are for. */
  readonly shape?: number[];
}

/** What tells one kind of convolution from the other. */
interface Kind {
  readonly name: string;
  readonly stock: "Conv2D" | "DepthwiseConv2dNative";
  readonly inputCall: (geometry: ConvGeometry) => KernelCall;
  readonly filterCall: (geometry: ConvGeometry) => KernelCall;
}

/** A convolution: the backend's own kernel forward, the library's kernels for the gradients. */
export function convolutionOp({ name, stock, inputCall, filterCall }: Kind): Op<ConvolutionAttributes> {
  const [backpropInput, backpropFilter] = [`${name}BackpropInput`, `${name}BackpropFilter`];
  const depthwise = stock === "DepthwiseConv2dNative";
  return {
    name,
    kernels: {
      [name]: (call) => stockKernel(stock, call),
      [backpropInput]: ({ inputs: { dy, filter }, attrs, backend }) => {
        const shape = attrs.shape as number[];
        const geometry = convGeometry(shape, filter.shape, attrs, depthwise);
        return withBuffers(backend, inputCall(geometry), [dy, filter], [shape])[0];
      },
      [backpropFilter]: ({ inputs: { x, dy }, attrs, backend }) => {
        const shape = attrs.shape as number[];
        const geometry = convGeometry(x.shape, shape, attrs, depthwise);
        return withBuffers(backend, filterCall(geometry), [x, dy], [shape])[0];
      },
    },
    inputsToSave: ["x", "filter"],
    gradient: ([dy], [x, filter], attrs) => ({
      x: () => runKernel(backpropInput, { dy, filter }, { ...attrs, shape: x.shape })[0],
      filter: () => runKernel(backpropFilter, { x, dy }, { ...attrs, shape: filter.shape })[0],
    }),
  };
}

/** Checks shapes and options; returns the kernels' attributes. Throws RangeError. */
export function convolutionAttributes(
  where: string,
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  { strides, dilations, padding }: ConvolutionOptions,
): ConvolutionAttributes {
  if (x.rank !== 4) throw new RangeError(`${where}: expected x of rank 4, got ${formatShape(x.shape)}`);
  const [height, width] = filter.shape;
  if (filter.rank !== 4 || filter.shape[2] !== x.shape[3]) {
    const expected = filter.rank === 4 ? `[${height}, ${width}, ${x.shape[3]}, ${filter.shape[3]}]` : "of rank 4";
    throw new RangeError(`${where}: expected filter ${expected}, got ${formatShape(filter.shape)}`);
  }
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) {
    throw new RangeError(
      `${where}: expected strides or dilations of 1, got strides ${strides}, dilations ${dilations}`,
    );
  }
  return { strides, dilations, pad: padding, dataFormat: "NHWC" };
}
