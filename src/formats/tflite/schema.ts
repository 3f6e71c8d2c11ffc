// Facts of TensorFlow Lite's schema (version 3) that reader and writer have in common.
// Source: tensorflow/lite/schema/schema.fbs; docs/formats.md.

export const FILE_IDENTIFIER = "TFL3";
export const SCHEMA_VERSION = 3;

/** TensorType. */
export const TYPE = { float32: 0, int32: 2, uint8: 3, int64: 4, int8: 9, int4: 17 } as const;

/** BuiltinOperator: the ops that QuantizedGraph has, and some that are written as others. */
export const OP = {
  add: 0,
  averagePool2d: 1,
  concatenation: 2,
  conv2d: 3,
  depthwiseConv2d: 4,
  dequantize: 6,
  fullyConnected: 9,
  logistic: 14,
  maxPool2d: 17,
  mul: 18,
  relu: 19,
  relu6: 21,
  reshape: 22,
  resizeBilinear: 23,
  softmax: 25,
  tanh: 28,
  pad: 34,
  transpose: 39,
  mean: 40,
  sub: 41,
  squeeze: 43,
  stridedSlice: 45,
  maximum: 55,
  argMax: 56,
  padV2: 60,
  slice: 65,
  expandDims: 70,
  resizeNearest: 97,
  leakyRelu: 98,
  quantize: 114,
  hardSwish: 117,
} as const;

/**
 * Options of each op: number in the union BuiltinOptions, and a letter per field. b: byte, i: int, I: int that is 1 where it
 * is absent, f: float, v: vector of ints (alone).
 */
export const OPTIONS: Readonly<Record<number, readonly [union: number, fields: string]>> = {
  [OP.add]: [11, "b"],
  [OP.averagePool2d]: [5, "biiiib"],
  [OP.concatenation]: [10, "ib"],
  [OP.conv2d]: [1, "biibII"],
  [OP.depthwiseConv2d]: [2, "biiibII"],
  [OP.dequantize]: [38, ""],
  [OP.fullyConnected]: [8, "bbbb"],
  [OP.maxPool2d]: [5, "biiiib"],
  [OP.mul]: [21, "b"],
  [OP.reshape]: [17, "v"],
  [OP.resizeBilinear]: [15, "iibb"],
  [OP.softmax]: [9, "f"],
  [OP.pad]: [22, ""],
  [OP.transpose]: [26, ""],
  [OP.mean]: [27, "b"],
  [OP.sub]: [28, "b"],
  [OP.squeeze]: [30, "v"],
  [OP.stridedSlice]: [32, "iiiiib"],
  [OP.maximum]: [39, ""],
  [OP.argMax]: [40, "b"],
  [OP.padV2]: [43, ""],
  [OP.slice]: [48, ""],
  [OP.expandDims]: [52, ""],
  [OP.resizeNearest]: [74, "bb"],
  [OP.leakyRelu]: [75, "f"],
  [OP.quantize]: [89, ""],
  [OP.hardSwish]: [91, ""],
};

/** ActivationFunctionType of each fused activation. */
export const ACTIVATION = { linear: 0, relu: 1, relu6: 3 } as const;

/** Padding. */
export const PADDING = { same: 0, valid: 1 } as const;
