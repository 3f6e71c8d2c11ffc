import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sample } from "fast-check";
import { QuantError, type QuantErrorCode } from "../../../src/core/errors.js";
import { decodeFile } from "../../../src/formats/tflite/decode-file.js";
import { encodeFile } from "../../../src/formats/tflite/encode-file.js";
import type { FileModel, FileOperator, FileTensor } from "../../../src/formats/tflite/file-model.js";
import { readTflite } from "../../../src/formats/tflite/read-tflite.js";
import { Op, TensorType } from "../../../src/formats/tflite/schema.js";
import { writeTflite } from "../../../src/formats/tflite/write-tflite.js";
import type { QuantizedGraph } from "../../../src/graph/quantized-graph.js";
import { int8, quantizedGraph, smallNet } from "../../graph/quantized-sketch.js";
import { randomQuantizedGraph } from "../../graph/random-quantized-graph.js";
import { tablePositions } from "./by-hand.js";
import { integerSource, mutateBytes } from "./mutate-bytes.js";

const file = writeTflite(smallNet());
const model = decodeFile(file);

/** The small net's file with tensors and operators replaced, by their names and the names of their outputs. */
function changed(
  tensors: Readonly<Record<string, Partial<FileTensor>>>,
  operators: Readonly<Record<string, Partial<FileOperator>>> = {},
  others: Partial<FileModel> = {},
): Uint8Array {
  return encodeFile({
    ...model,
    tensors: model.tensors.map((tensor) => ({ ...tensor, ...tensors[tensor.name] })),
    operators: model.operators.map((operator) => ({ ...operator, ...operators[nameOf(operator.outputs[0])] })),
    ...others,
  });
}

function nameOf(index: number): string {
  return model.tensors[index].name;
}

function indexOf(name: string): number {
  return model.tensors.findIndex((tensor) => tensor.name === name);
}

/** A file of one operator: x, then constants, then y. */
function oneOperator(
  operator: Pick<FileOperator, "code"> & Partial<FileOperator>,
  x: FileTensor,
  y: FileTensor,
  ...constants: FileTensor[]
): Uint8Array {
  const inputs = [0, ...constants.map((_, i) => i + 2)];
  const tensors = [x, y, ...constants];
  const operators = [{ version: 1, inputs, outputs: [1], options: [], ...operator }];
  return encodeFile({ name: "main", tensors, inputs: [0], outputs: [1], operators });
}

function tensor(name: string, shape: readonly number[], fields: Partial<FileTensor> = {}): FileTensor {
  return { name, shape, type: 9, scales: Float32Array.of(0.5), zeroPoints: [0], axis: 0, ...fields };
}

function ints(...values: number[]): FileTensor {
  const data = new Uint8Array(Int32Array.from(values).buffer);
  return { ...tensor("ints", [values.length], { type: 2, data }), scales: new Float32Array(), zeroPoints: [] };
}

function longs(...values: number[]): FileTensor {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { ...ints(...values), type: 4, data };
}

function refuses(bytes: Uint8Array, code: QuantErrorCode, message: string): void {
  assert.throws(
    () => readTflite(bytes),
    (error) => {
      assert.ok(error instanceof QuantError, String(error));
      assert.deepEqual([error.code, error.message], [code, message]);
      return true;
    },
  );
}

describe("files of other tools", () => {
  const [x, y] = [tensor("x", [1, 6]), tensor("y", [1, 6])];
  /** Nodes and the shape of the output. */
  const read = (bytes: Uint8Array): [QuantizedGraph["nodes"], readonly number[]] => {
    const graph = readTflite(bytes);
    return [graph.nodes, graph.tensors[graph.outputs[0]].shape];
  };

  test("an ArrayBuffer, or bytes at an odd place", () => {
    assert.deepEqual(readTflite(file.slice().buffer), smallNet());
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    assert.deepEqual(readTflite(shifted.subarray(3)), smallNet());
  });

  test("operator codes in the old field or the new one alone", () => {
    for (const slot of [0, 3]) {
      const bytes = file.slice();
      const { codes, field } = tablePositions(bytes);
      for (const table of codes) bytes.fill(0, field(table, slot), field(table, slot) + (slot === 0 ? 1 : 4));
      assert.deepEqual(readTflite(bytes), smallNet());
    }
  });

  test("names that are missing or stand twice become new ones", () => {
    const graph = readTflite(changed({ conv: { name: "" }, pool: { name: "image" }, flat: { name: "__proto__" } }));
    assert.deepEqual(Object.keys(graph.tensors), [
      "image",
      "tensor",
      "image_1",
      "tensor_1",
      "fc",
      "probs",
      "offsets",
      "sum",
    ]);
    assert.deepEqual(
      graph.nodes.map(({ inputs, output }) => [...inputs, output]),
      [
        ["image", "tensor"],
        ["tensor", "image_1"],
        ["image_1", "tensor_1"],
        ["tensor_1", "fc"],
        ["fc", "probs"],
        ["image_1", "offsets", "sum"],
      ],
    );
    assert.deepEqual(readTflite(writeTflite(graph)), graph);
  });

  test("a bias that is absent, by -1 or by two inputs", () => {
    const conv = model.operators[0];
    const { bias: _, ...withoutBias } = smallNet().nodes[0] as { bias?: Int32Array } & QuantizedGraph["nodes"][0];
    for (const inputs of [[...conv.inputs.slice(0, 2), -1], conv.inputs.slice(0, 2)]) {
      assert.deepEqual(readTflite(changed({}, { conv: { inputs } })).nodes[0], withoutBias);
    }
  });

  test("zero points that are not written are 0", () => {
    const none = { zeroPoints: [] };
    const graph = readTflite(changed({ offsets: none, "conv/weights": none, "conv/bias": none }));
    assert.deepEqual(graph, smallNet());
  });

  test("RESHAPE by a constant, by its options, with -1, and by the output alone", () => {
    const shapes = [ints(-1, 3), ints(2, 3), longs(2, 3)];
    const reshaped = tensor("y", [2, 3]);
    const nodes = [{ op: "reshape", name: "y", inputs: ["x"], output: "y" }];
    for (const shape of shapes) {
      assert.deepEqual(read(oneOperator({ code: Op.reshape }, x, reshaped, shape)), [nodes, [2, 3]]);
    }
    for (const options of [[2, -1], [0], []]) {
      assert.deepEqual(read(oneOperator({ code: Op.reshape, options }, x, reshaped)), [nodes, [2, 3]]);
    }
    refuses(
      oneOperator({ code: Op.reshape, options: [3, 2] }, x, reshaped),
      "invalid-file",
      'readTflite: RESHAPE "y": expected output [3, 2], got [2, 3]',
    );
  });

  test("SQUEEZE and EXPAND_DIMS are reshapes", () => {
    const nodes = [{ op: "reshape", name: "y", inputs: ["x"], output: "y" }];
    assert.deepEqual(read(oneOperator({ code: Op.squeeze, options: [0] }, x, tensor("y", [6]))), [nodes, [6]]);
    assert.deepEqual(read(oneOperator({ code: Op.expandDims }, x, tensor("y", [1, 1, 6]), ints(0))), [
      nodes,
      [1, 1, 6],
    ]);
  });

  test("MEAN and CONCATENATION along negative axes", () => {
    const mean = oneOperator({ code: Op.mean, options: [1] }, x, tensor("y", [1, 1]), ints(-1));
    assert.deepEqual(read(mean)[0], [{ op: "mean", name: "y", inputs: ["x"], output: "y", axes: [1], keepDims: true }]);
    const concat = oneOperator({ code: Op.concatenation, options: [-1, 0], inputs: [0, 0] }, x, tensor("y", [1, 12]));
    assert.deepEqual(read(concat)[0], [{ op: "concat", name: "y", inputs: ["x", "x"], output: "y", axis: 1 }]);
  });

  test("PADV2 with the zero point is pad; with another value it is refused", () => {
    const padded = tensor("y", [1, 9], { zeroPoints: [-7] });
    const source = tensor("x", [1, 6], { zeroPoints: [-7] });
    const value = (code: number): FileTensor => tensor("value", [1], { data: Uint8Array.of(code), zeroPoints: [-7] });
    const sizes = { ...ints(0, 0, 1, 2), shape: [2, 2] };
    const pads = [
      [0, 0],
      [1, 2],
    ];
    assert.deepEqual(read(oneOperator({ code: Op.padV2 }, source, padded, sizes, value(-7)))[0], [
      { op: "pad", name: "y", inputs: ["x"], output: "y", padding: pads },
    ]);
    refuses(
      oneOperator({ code: Op.padV2 }, source, padded, sizes, value(0)),
      "unsupported",
      'readTflite: PADV2 "y": expected padding with the zero point -7, got 0',
    );
  });

  test("STRIDED_SLICE with masks and negative indices; axes that it drops are a reshape", () => {
    const source = tensor("x", [1, 6, 4]);
    const bounds = [ints(0, -4, 1), ints(0, 100, -1), ints(1, 2, 1)];
    const slice = { op: "stridedSlice", begin: [0, 2, 1], strides: [1, 2, 1] };
    const kept = { code: Op.stridedSlice, options: [1, 1, 0, 0, 0, 0] };
    assert.deepEqual(read(oneOperator(kept, source, tensor("y", [1, 2, 2]), ...bounds)), [
      [{ ...slice, name: "y", inputs: ["x"], output: "y" }],
      [1, 2, 2],
    ]);
    // The last axis is dropped: its index 1, whatever the end.
    const dropping = { code: Op.stridedSlice, options: [1, 1, 0, 0, 4, 0] };
    const graph = readTflite(oneOperator(dropping, source, tensor("y", [1, 2]), ...bounds));
    assert.deepEqual(graph.nodes, [
      { ...slice, name: "y/slice", inputs: ["x"], output: "y/slice" },
      { op: "reshape", name: "y", inputs: ["y/slice"], output: "y" },
    ]);
    assert.deepEqual(graph.tensors["y/slice"], int8([1, 2, 1]));
    assert.deepEqual(readTflite(writeTflite(graph)), graph);
  });

  test("ARG_MAX that gives int64 gives int32", () => {
    const output = { ...tensor("y", [1]), type: TensorType.int64, scales: new Float32Array(), zeroPoints: [] };
    const graph = readTflite(oneOperator({ code: Op.argMax, options: [4] }, x, output, longs(-1)));
    assert.deepEqual(graph.nodes, [{ op: "argMax", name: "y", inputs: ["x"], output: "y", axis: 1 }]);
    assert.deepEqual(graph.tensors.y, { dtype: "int32", shape: [1] });
  });

  test("MAXIMUM that cannot be folded stays as a quantize that clamps", () => {
    const least = tensor("least", [1], { data: Uint8Array.of(100) });
    const graph = readTflite(oneOperator({ code: Op.maximum }, x, y, least));
    assert.deepEqual(graph.nodes, [{ op: "quantize", name: "y", inputs: ["x"], output: "y" }]);
    assert.deepEqual(graph.tensors.y, int8([1, 6], { qmin: 100 }));
    assert.deepEqual(readTflite(writeTflite(graph)), graph);
    refuses(
      oneOperator({ code: Op.maximum, inputs: [0, 0] }, x, y),
      "unsupported",
      'readTflite: MAXIMUM "y": expected a constant code beside a tensor, got two tensors',
    );
  });

  test("float32 between DEQUANTIZE and QUANTIZE", () => {
    const graph = quantizedGraph(
      { x: int8([1, 2]), real: { dtype: "float32", shape: [1, 2] }, y: int8([1, 2], { scale: 0.25 }) },
      [
        { op: "dequantize", inputs: ["x"], output: "real" },
        { op: "quantize", inputs: ["real"], output: "y" },
      ],
    );
    assert.deepEqual(readTflite(writeTflite(graph)), graph);
  });

  test("weights of −128", () => {
    const data = model.tensors[indexOf("conv/weights")].data!.slice().fill(0x80, 0, 1);
    const [conv] = readTflite(changed({ "conv/weights": { data } })).nodes;
    assert.equal((conv as { weights?: Int8Array }).weights?.[0], -128);
  });
});

describe("what is refused", () => {
  const uint8 = { type: TensorType.uint8 };
  const float32 = { type: 0, scales: new Float32Array(), zeroPoints: [] };
  const cases: readonly [title: string, bytes: Uint8Array, code: QuantErrorCode, message: string][] = [
    [
      "an empty file",
      new Uint8Array(),
      "invalid-file",
      'readTflite: expected "TFL3" in bytes 4 to 7 of the file, got ""',
    ],
    [
      "another file",
      new TextEncoder().encode("\0\0\0\0GGUF"),
      "invalid-file",
      'readTflite: expected "TFL3" in bytes 4 to 7 of the file, got "GGUF"',
    ],
    [
      "a uint8 model",
      changed({ image: uint8 }),
      "unsupported",
      'readTflite: inputs, "image": expected int8, got uint8, the older scheme; convert the float model again, with int8 types',
    ],
    [
      "a float model",
      changed({ image: float32, conv: float32 }),
      "unsupported",
      'readTflite: CONV_2D "conv": expected int8 weights and activations, got float32; quantize the model in full',
    ],
    [
      "an int16 activation",
      changed({ pool: { type: 7 } }),
      "unsupported",
      'readTflite: MAX_POOL_2D "pool", "pool": expected int8, got int16',
    ],
    [
      "activations of several scales",
      changed({ fc: { scales: Float32Array.of(1, 2), zeroPoints: [0, 0] } }),
      "unsupported",
      'readTflite: FULLY_CONNECTED "fc", "fc": expected one scale and zero point, got 2',
    ],
    [
      "a fused TANH",
      changed({}, { sum: { options: [4] } }),
      "unsupported",
      'readTflite: ADD "sum": expected a fused activation NONE, RELU or RELU6, got 4',
    ],
    [
      "weights with a zero point",
      changed({ "fc/weights": { zeroPoints: [3] } }),
      "unsupported",
      'readTflite: FULLY_CONNECTED "fc": expected weights with zero point 0, got [3]',
    ],
    [
      "weight scales along another axis",
      changed({ "conv/weights": { axis: 3 } }),
      "unsupported",
      'readTflite: CONV_2D "conv": expected weight scales along axis 0, got 3',
    ],
    [
      "shuffled weights",
      changed({}, { fc: { options: [0, 1, 0, 0] } }),
      "unsupported",
      'readTflite: FULLY_CONNECTED "fc": expected weights that are not shuffled, got 1',
    ],
    [
      "float weights",
      changed({ "conv/weights": float32 }),
      "unsupported",
      'readTflite: CONV_2D "conv": expected constant int8 or int4 weights, got type 0',
    ],
    [
      "grouped convolutions",
      changed({ "conv/weights": { shape: [6, 3, 3, 1] } }, { conv: { inputs: model.operators[0].inputs.slice(0, 2) } }),
      "unsupported",
      'readTflite: CONV_2D "conv": expected a convolution without groups, got weights [6, 3, 3, 1]',
    ],
    [
      "two outputs of an operator",
      changed({}, { sum: { outputs: [indexOf("sum"), indexOf("probs")] } }),
      "invalid-file",
      'readTflite: ADD "sum": expected one output, got 2',
    ],
    [
      "an input before it is given",
      changed({}, { conv: { inputs: [indexOf("fc"), ...model.operators[0].inputs.slice(1)] } }),
      "invalid-file",
      `readTflite: CONV_2D "conv": expected inputs that come before it, got tensor ${indexOf("fc")}`,
    ],
    [
      "an output that is its own input",
      changed({}, { pool: { inputs: [indexOf("pool")] } }),
      "invalid-file",
      `readTflite: MAX_POOL_2D "pool": expected inputs that come before it, got tensor ${indexOf("pool")}`,
    ],
    [
      "a tensor that is given twice",
      changed({}, { pool: { outputs: [indexOf("conv")] } }),
      "invalid-file",
      `readTflite: MAX_POOL_2D "conv": expected tensors that nothing else gives, got tensor ${indexOf("conv")}`,
    ],
    [
      "a constant as an output",
      changed({}, { pool: { outputs: [indexOf("offsets")] } }),
      "invalid-file",
      `readTflite: MAX_POOL_2D "offsets": expected tensors without data, got constant ${indexOf("offsets")}`,
    ],
    [
      "a constant as an input of the graph",
      changed({}, {}, { inputs: [indexOf("offsets")] }),
      "invalid-file",
      `readTflite: inputs: expected tensors without data, got constant ${indexOf("offsets")}`,
    ],
    [
      "a graph without outputs",
      changed({}, {}, { outputs: [] }),
      "invalid-file",
      "readTflite: graph outputs: expected at least one, got none",
    ],
    [
      "an index of no tensor",
      changed({}, { pool: { inputs: [99] } }),
      "invalid-file",
      `readTflite: expected ${model.tensors.length} tensors, got 99`,
    ],
    [
      "a missing input",
      changed({}, { pool: { inputs: [-1] } }),
      "invalid-file",
      "readTflite: expected a tensor, got index -1",
    ],
    [
      "too few inputs",
      changed({}, { sum: { inputs: [0] } }),
      "invalid-file",
      'readTflite: ADD "sum": expected 2 to 2 inputs, got 1',
    ],
    [
      "long lists of axes",
      oneOperator(
        { code: Op.mean, options: [1] },
        tensor("x", [1, 2]),
        tensor("y", [1, 1]),
        ints(...Array(17).fill(1)),
      ),
      "invalid-file",
      'readTflite: MEAN "y": expected at most 16 integers as input 1, got 17',
    ],
    [
      "more zero points than scales",
      changed({ "fc/weights": { zeroPoints: [0, 0] } }),
      "invalid-file",
      'readTflite: FULLY_CONNECTED "fc": expected 1 zero points and at most 60 scales, got 2',
    ],
    [
      "too few weights",
      changed({ "conv/weights": { shape: [3, 3, 3, 3] } }),
      "invalid-file",
      'readTflite: CONV_2D "conv": expected 81 bytes of weights, got 54',
    ],
    [
      "a bias of another length",
      changed({ "conv/bias": { data: new Uint8Array(8) } }),
      "invalid-file",
      'readTflite: CONV_2D "conv": expected a bias of 12 bytes, got 8',
    ],
    [
      "a shape that does not follow",
      changed({ pool: { shape: [1, 2, 2, 4] } }),
      "invalid-file",
      'readTflite: maxPool2d "pool": expected output [1, 2, 2, 3], got [1, 2, 2, 4]',
    ],
    [
      "a size of 0",
      changed({ image: { shape: [1, 0, 4, 2] } }),
      "invalid-file",
      'readTflite: tensor "image": expected at most 8 sizes ≥ 1, of < 2^31 elements, got [1, 0, 4, 2]',
    ],
    [
      "a product of sizes that overflows",
      changed({ image: { shape: [65536, 65536, 65536, 2] } }),
      "invalid-file",
      'readTflite: tensor "image": expected at most 8 sizes ≥ 1, of < 2^31 elements, got [65536, 65536, 65536, 2]',
    ],
    [
      "too many axes",
      changed({ image: { shape: Array(9).fill(1) } }),
      "invalid-file",
      "readTflite: expected at most 8 sizes of a tensor, got 9",
    ],
    [
      "a scale of NaN",
      changed({ sum: { scales: Float32Array.of(Number.NaN) } }),
      "invalid-file",
      'readTflite: tensor "sum": expected a finite float32 scale > 0, got NaN',
    ],
    [
      "a zero point off the grid",
      changed({ sum: { zeroPoints: [128] } }),
      "invalid-file",
      'readTflite: tensor "sum": expected a zeroPoint in [-128, 127], got 128',
    ],
    [
      "a softmax on parameters of its own",
      changed({ probs: { zeroPoints: [0] } }),
      "invalid-file",
      'readTflite: softmax "probs": expected an output of scale 0.00390625 and zeroPoint -128, got scale 0.00390625 and zeroPoint 0',
    ],
  ];
  for (const [title, bytes, code, message] of cases) test(title, () => refuses(bytes, code, message));

  test("an operator that is not known, and one of somebody's own, by name", () => {
    for (const [code, name] of [
      [36, "GATHER"],
      [57, "MINIMUM"],
      [32, 'CUSTOM ""'],
      [15, "operator 15"],
    ] as const) {
      const bytes = file.slice();
      const { codes, field } = tablePositions(bytes);
      bytes[field(codes[0], 0)] = code;
      bytes[field(codes[0], 3)] = code;
      refuses(
        bytes,
        "unsupported",
        `readTflite: ${name} "conv": expected an operator of those in docs/formats.md, got ${name}`,
      );
    }
  });

  test("anything but bytes", () => {
    assert.throws(
      () => readTflite("TFL3" as unknown as Uint8Array),
      new TypeError("readTflite: expected a Uint8Array or ArrayBuffer, got [object String]"),
    );
  });
});

test("weights that very many nodes share are refused, before their sums take long", () => {
  const weights = tensor("w", [256, 256], { data: new Uint8Array(65536).fill(1) });
  const chain = (length: number): Uint8Array =>
    encodeFile({
      name: "main",
      tensors: [weights, ...Array.from({ length: length + 1 }, (_, i) => tensor(`x${i}`, [1, 256]))],
      inputs: [1],
      outputs: [length + 1],
      operators: Array.from({ length }, (_, i) => ({
        code: Op.fullyConnected,
        version: 6,
        inputs: [i + 1, 0],
        outputs: [i + 2],
        options: [0, 0, 0, 0],
      })),
    });
  assert.equal(readTflite(chain(50)).nodes.length, 50);
  refuses(chain(200), "invalid-file", "readTflite: expected weights that a few nodes use, got too many uses");
});

test("damaged files are refused with the library's errors, or load as graphs that come back from their files", () => {
  const files = sample(randomQuantizedGraph(), { numRuns: 40, seed: 2 }).map((graph) => writeTflite(graph));
  const outcomes: Record<string, number> = { loaded: 0, "invalid-file": 0, unsupported: 0 };
  for (let seed = 1; seed <= 4000; seed++) {
    const choose = integerSource(Math.imul(seed, 0x9e3779b1));
    const bytes = mutateBytes(files[choose(files.length)], choose);
    try {
      const graph = readTflite(bytes);
      assert.deepEqual(readTflite(writeTflite(graph)), graph);
      outcomes.loaded++;
    } catch (error) {
      const known = error instanceof QuantError && error.code in outcomes;
      assert.ok(known, `mutation ${seed}: ${String(error)}`);
      outcomes[error.code]++;
    }
  }
  for (const [outcome, times] of Object.entries(outcomes)) assert.ok(times > 100, `${outcome}: ${times}`);
});
