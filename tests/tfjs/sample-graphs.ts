import * as tf from "@tensorflow/tfjs";
import type { ModelArtifacts } from "../../src/formats/tfjs-model/artifacts.js";
import { floatWeight, joinWeights } from "../../src/formats/tfjs-model/weight-data.js";
import { type Channels, values } from "./sample-models.js";

/** A graph model, written by hand as the tfjs converter would, and the constants to be quantized. */
export interface SampleGraph {
  readonly name: string;
  readonly artifacts: ModelArtifacts;
  readonly input: () => tf.Tensor;
  readonly channels: Readonly<Record<string, Channels>>;
}

type Node = { readonly name: string; readonly op: string; readonly input?: readonly string[]; readonly attr?: object };

const FLOAT = { T: { type: "DT_FLOAT" } };
const text = (value: string): object => ({ s: btoa(value) });
const ints = (...list: number[]): object => ({ list: { i: list.map(String) } });
const dims = (shape: readonly number[]): object => ({ dim: shape.map((size) => ({ size: String(size) })) });
const convolution = (padding: string): object => ({
  ...FLOAT,
  strides: ints(1, 1, 1, 1),
  dilations: ints(1, 1, 1, 1),
  padding: text(padding),
  data_format: text("NHWC"),
});

const placeholder = (name: string, shape: readonly number[], type = "DT_FLOAT"): Node => ({
  name,
  op: "Placeholder",
  attr: { dtype: { type }, shape: { shape: dims(shape) } },
});

/** A graph of these nodes, with a Const node and fixed values for each constant. */
export function graphOf(
  constants: Readonly<Record<string, readonly number[]>>,
  nodes: readonly Node[],
  indices: Readonly<Record<string, number>> = {},
): ModelArtifacts {
  const weights = Object.entries(constants).map(([name, shape], seed) =>
    floatWeight(name, shape, values(tf.util.sizeFromShape([...shape]), seed + 1)),
  );
  const scalars = Object.entries(indices).map(([name, value]) => ({
    spec: { name, shape: [], dtype: "int32" as const },
    bytes: new Uint8Array(Int32Array.of(value).buffer),
  }));
  const stored = [...weights, ...scalars];
  const consts = stored.map(({ spec: { name, shape, dtype } }) => {
    const type = dtype === "int32" ? "DT_INT32" : "DT_FLOAT";
    const value = { tensor: { dtype: type, tensorShape: dims(shape) } };
    return { name, op: "Const", attr: { dtype: { type }, value } };
  });
  return {
    format: "graph-model",
    generatedBy: "test",
    convertedBy: null,
    modelTopology: { node: [...consts, ...nodes], library: {}, versions: {} },
    ...joinWeights(stored),
    userDefinedMetadata: { signature: { outputs: {} }, labels: ["x"] },
  };
}

const floats = (...shape: number[]): tf.Tensor => tf.tensor(values(tf.util.sizeFromShape(shape), 99), shape);
const matmul = (transpose: boolean): object => ({ ...FLOAT, transpose_a: { b: false }, transpose_b: { b: transpose } });

export const SAMPLE_GRAPHS: readonly SampleGraph[] = [
  {
    name: "Conv2D with a bias behind it",
    artifacts: graphOf({ w: [3, 3, 2, 4], b: [4] }, [
      placeholder("x", [-1, 6, 6, 2]),
      { name: "conv", op: "Conv2D", input: ["x", "w"], attr: convolution("SAME") },
      { name: "out", op: "BiasAdd", input: ["conv", "b"], attr: { ...FLOAT, data_format: text("NHWC") } },
    ]),
    input: () => floats(2, 6, 6, 2),
    channels: { w: 3 },
  },
  {
    name: "_FusedConv2D with bias and Relu",
    artifacts: graphOf({ w: [2, 2, 2, 5], b: [5] }, [
      placeholder("x", [-1, 4, 4, 2]),
      {
        name: "out",
        op: "_FusedConv2D",
        input: ["x", "w", "b"],
        attr: {
          ...convolution("VALID"),
          num_args: { i: "1" },
          fused_ops: { list: { s: [btoa("BiasAdd"), btoa("Relu")] } },
        },
      },
    ]),
    input: () => floats(1, 4, 4, 2),
    channels: { w: 3 },
  },
  {
    name: "DepthwiseConv2dNative, multipliers 1 and 2, one input channel too",
    artifacts: graphOf(
      { one: [2, 2, 3, 1], two: [2, 2, 3, 2], single: [2, 2, 1, 3] },
      [
        placeholder("x", [-1, 5, 5, 3]),
        { name: "a", op: "DepthwiseConv2dNative", input: ["x", "one"], attr: convolution("VALID") },
        { name: "b", op: "DepthwiseConv2dNative", input: ["a", "two"], attr: convolution("VALID") },
        { name: "sum", op: "Mean", input: ["b", "last"], attr: { ...FLOAT, keep_dims: { b: true } } },
        { name: "out", op: "DepthwiseConv2dNative", input: ["sum", "single"], attr: convolution("VALID") },
      ],
      { last: 3 },
    ),
    input: () => floats(2, 5, 5, 3),
    channels: { one: "depthwise", two: "depthwise", single: "depthwise" },
  },
  {
    name: "Conv2DBackpropInput",
    artifacts: graphOf({ v: [2, 2, 3, 4], w: [2, 2, 3, 4] }, [
      placeholder("x", [2, 4, 4, 3]),
      { name: "conv", op: "Conv2D", input: ["x", "v"], attr: convolution("SAME") },
      { name: "shape", op: "Shape", input: ["x"], attr: FLOAT },
      { name: "out", op: "Conv2DBackpropInput", input: ["shape", "w", "conv"], attr: convolution("SAME") },
    ]),
    input: () => floats(2, 4, 4, 3),
    channels: { v: 3, w: 2 },
  },
  {
    name: "MatMul with and without transpose_b, _FusedMatMul",
    artifacts: graphOf({ plain: [4, 5], transposed: [3, 5], fused: [3, 2], b: [2] }, [
      placeholder("x", [-1, 4]),
      { name: "a", op: "MatMul", input: ["x", "plain"], attr: matmul(false) },
      { name: "c", op: "MatMul", input: ["a", "transposed"], attr: matmul(true) },
      {
        name: "out",
        op: "_FusedMatMul",
        input: ["c", "fused", "b"],
        attr: { ...matmul(false), num_args: { i: "1" }, fused_ops: { list: { s: [btoa("BiasAdd"), btoa("Relu6")] } } },
      },
    ]),
    input: () => floats(3, 4),
    channels: { plain: 1, transposed: 0, fused: 1 },
  },
  {
    name: "GatherV2 and a tied MatMul read one constant through Identity; an addend stays",
    artifacts: graphOf(
      { table: [7, 4], added: [2, 7] },
      [
        placeholder("x", [-1], "DT_INT32"),
        { name: "read1", op: "Identity", input: ["table"], attr: FLOAT },
        { name: "read2", op: "Identity", input: ["read1:0"], attr: FLOAT },
        { name: "rows", op: "GatherV2", input: ["read2", "x", "axis"], attr: { Tparams: { type: "DT_FLOAT" } } },
        { name: "logits", op: "MatMul", input: ["rows", "read1"], attr: matmul(true) },
        { name: "out", op: "AddV2", input: ["logits", "added"], attr: FLOAT },
      ],
      { axis: 0 },
    ),
    input: () => tf.tensor1d([3, 6], "int32"),
    channels: { table: 1 },
  },
  {
    name: "names that the scales would take are taken",
    artifacts: graphOf({ w: [4, 3], "w/codes": [3, 3], "w/scales": [3] }, [
      placeholder("x", [-1, 4]),
      { name: "a", op: "MatMul", input: ["x", "w"], attr: matmul(false) },
      { name: "b", op: "MatMul", input: ["a", "w/codes"], attr: matmul(false) },
      { name: "out", op: "AddV2", input: ["b", "w/scales"], attr: FLOAT },
    ]),
    input: () => floats(2, 4),
    channels: { w: 1, "w/codes": 1 },
  },
];
