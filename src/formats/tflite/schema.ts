// Facts of TensorFlow Lite's schema (version 3) that reader and writer have in common. Enums, because the bundler puts their
// numbers where they are used.
// Source: tensorflow/lite/schema/schema.fbs; docs/formats.md.

export const FILE_IDENTIFIER = "TFL3";
export const SCHEMA_VERSION = 3;

/** TensorType. */
export enum TensorType {
  float32 = 0,
  int32 = 2,
  uint8 = 3,
  int64 = 4,
  int8 = 9,
  int4 = 17,
}

/** BuiltinOperator: those that QuantizedGraph has, and some that are read as others. */
export enum Op {
  add = 0,
  averagePool2d = 1,
  concatenation = 2,
  conv2d = 3,
  depthwiseConv2d = 4,
  dequantize = 6,
  fullyConnected = 9,
  logistic = 14,
  maxPool2d = 17,
  mul = 18,
  relu = 19,
  relu6 = 21,
  reshape = 22,
  resizeBilinear = 23,
  softmax = 25,
  tanh = 28,
  pad = 34,
  transpose = 39,
  mean = 40,
  sub = 41,
  squeeze = 43,
  stridedSlice = 45,
  maximum = 55,
  argMax = 56,
  padV2 = 60,
  expandDims = 70,
  resizeNearest = 97,
  leakyRelu = 98,
  quantize = 114,
  hardSwish = 117,
}

/**
 * Form of each operator: least and most inputs, number of its options in the union BuiltinOptions (0: none), and a letter per
 * field of them. b: byte, i: int, I: int that is 1 where it is absent, f: float, v: one vector of ints.
 */
export const FORMS: Readonly<Record<number, readonly [least: number, most: number, union: number, fields: string]>> = {
  [Op.add]: [2, 2, 11, "b"],
  [Op.averagePool2d]: [1, 1, 5, "biiiib"],
  [Op.concatenation]: [1, 1e9, 10, "ib"],
  [Op.conv2d]: [2, 3, 1, "biibII"],
  [Op.depthwiseConv2d]: [2, 3, 2, "biiibII"],
  [Op.dequantize]: [1, 1, 38, ""],
  [Op.fullyConnected]: [2, 3, 8, "bbbb"],
  [Op.logistic]: [1, 1, 0, ""],
  [Op.maxPool2d]: [1, 1, 5, "biiiib"],
  [Op.mul]: [2, 2, 21, "b"],
  [Op.relu]: [1, 1, 0, ""],
  [Op.relu6]: [1, 1, 0, ""],
  [Op.reshape]: [1, 2, 17, "v"],
  [Op.resizeBilinear]: [2, 2, 15, "iibb"],
  [Op.softmax]: [1, 1, 9, "f"],
  [Op.tanh]: [1, 1, 0, ""],
  [Op.pad]: [2, 2, 22, ""],
  [Op.transpose]: [2, 2, 26, ""],
  [Op.mean]: [2, 2, 27, "b"],
  [Op.sub]: [2, 2, 28, "b"],
  [Op.squeeze]: [1, 1, 30, "v"],
  [Op.stridedSlice]: [4, 4, 32, "iiiiib"],
  [Op.maximum]: [2, 2, 39, ""],
  [Op.argMax]: [2, 2, 40, "b"],
  [Op.padV2]: [3, 3, 43, ""],
  [Op.expandDims]: [2, 2, 52, ""],
  [Op.resizeNearest]: [2, 2, 74, "bb"],
  [Op.leakyRelu]: [1, 1, 75, "f"],
  [Op.quantize]: [1, 1, 89, ""],
  [Op.hardSwish]: [1, 1, 91, ""],
};

/** ActivationFunctionType, by number; the others are not supported. */
export const ACTIVATIONS = ["linear", "relu", undefined, "relu6"] as const;

/** Padding, by number. */
export const PADDINGS = ["same", "valid"] as const;
