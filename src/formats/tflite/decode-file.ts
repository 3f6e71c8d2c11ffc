import { MAX_RANK } from "../../graph/quantized-shapes.js";
import type { FileModel, FileTensor } from "./file-model.js";
import {
  bytesField,
  expectFile,
  hasField,
  intsField,
  numberField,
  numbersField,
  rootTable,
  type Table,
  tableField,
  tablesField,
  textField,
} from "./flatbuffer.js";
import { FILE_IDENTIFIER, FORMS, SCHEMA_VERSION } from "./schema.js";

/**
 * What a .tflite file says. Constants are views of the bytes. Afterwards indices of tensors are in range, and operators have
 * as many inputs as they may; what types and sizes mean together is not looked at.
 *
 * Errors: QuantError `invalid-file`; `unsupported` for several subgraphs, sparse tensors, data outside of the flatbuffer, and
 * other quantization schemes than scale and zero point.
 * Source: tensorflow/lite/schema/schema.fbs, whose slots are the numbers below.
 */
export function decodeFile(bytes: Uint8Array): FileModel {
  const root = rootTable(bytes, FILE_IDENTIFIER);
  const version = numberField(root, 0, "i");
  expectFile(version === SCHEMA_VERSION, `schema version ${SCHEMA_VERSION}`, version);
  const subgraphs = tablesField(root, 2);
  expectFile(subgraphs.length === 1, "one subgraph, without control flow", subgraphs.length, "unsupported");
  const [subgraph] = subgraphs;
  const buffers = tablesField(root, 4);
  const tensors = tablesField(subgraph, 0).map((table) => decodeTensor(table, buffers));
  const indices = (table: Table, slot: number): number[] => {
    const found = intsField(table, slot);
    for (const index of found) expectFile(index >= -1 && index < tensors.length, `${tensors.length} tensors`, index);
    return found;
  };
  const codes = tablesField(root, 1).map((table) => ({
    // Up to 127 ops stood in a byte; newer files write both fields, the byte capped at 127.
    code: Math.max(numberField(table, 0, "b"), numberField(table, 3, "i")),
    version: numberField(table, 2, "i", 1),
    custom: textField(table, 1),
  }));
  return {
    name: textField(subgraph, 4),
    tensors,
    inputs: indices(subgraph, 1),
    outputs: indices(subgraph, 2),
    operators: tablesField(subgraph, 3).map((table) => {
      const index = numberField(table, 0, "i");
      expectFile(codes[index] !== undefined, `${codes.length} operator codes`, index);
      return {
        ...codes[index],
        inputs: indices(table, 1),
        outputs: indices(table, 2),
        options: decodeOptions(table, codes[index].code),
      };
    }),
  };
}

function decodeTensor(table: Table, buffers: readonly Table[]): FileTensor {
  const name = textField(table, 3);
  const shape = intsField(table, 0);
  expectFile(shape.length <= MAX_RANK, `at most ${MAX_RANK} sizes of a tensor`, shape.length);
  const index = numberField(table, 2, "i");
  const buffer = buffers[index];
  expectFile(buffer !== undefined, `${buffers.length} buffers`, index);
  const grid = tableField(table, 4);
  const odd = hasField(table, 6) || hasField(buffer, 1) || (grid !== undefined && numberField(grid, 4, "b") !== 0);
  expectFile(!odd, "dense tensors with scale and zero point", "sparse, external or custom ones", "unsupported");
  // Buffer 0 is what tensors without data name.
  const data = index === 0 ? new Uint8Array() : bytesField(buffer, 0);
  const { view } = table.file;
  return {
    name,
    shape,
    type: numberField(table, 1, "b"),
    ...(data.length === 0 ? {} : { data }),
    scales: Float32Array.from(grid === undefined ? [] : numbersField(grid, 2, 4, (at) => view.getFloat32(at, true))),
    zeroPoints: grid === undefined ? [] : numbersField(grid, 3, 8, (at) => Number(view.getBigInt64(at, true))),
    axis: grid === undefined ? 0 : numberField(grid, 6, "i"),
  };
}

/** The options of an operator, or their defaults; none for operators without a form. */
function decodeOptions(operator: Table, code: number): number[] {
  const [, , union, fields] = FORMS[code] ?? [0, 0, 0, ""];
  const found = numberField(operator, 3, "b");
  expectFile(union === 0 || found === 0 || found === union, `options ${union} of operator ${code}`, found);
  const table = found === 0 || union === 0 ? undefined : tableField(operator, 4);
  if (fields === "v") return table === undefined ? [] : intsField(table, 0);
  return Array.from(fields, (kind, slot) => {
    const otherwise = kind === "I" ? 1 : 0;
    return table === undefined ? otherwise : numberField(table, slot, kind, otherwise);
  });
}
