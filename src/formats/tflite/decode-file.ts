import { QuantError } from "../../core/errors.js";
import { MAX_RANK } from "../../graph/quantized-shapes.js";
import type { FileModel, FileOperator, FileTensor } from "./file-model.js";
import {
  fileError,
  float32Field,
  hasField,
  int8Field,
  int32Elements,
  int32Field,
  rootTable,
  type Table,
  tableElements,
  tableField,
  textField,
  vectorField,
} from "./flatbuffer.js";
import { FILE_IDENTIFIER, OPTIONS, SCHEMA_VERSION } from "./schema.js";

/**
 * What a .tflite file says. Constants are views of the bytes. Afterwards indices of tensors and buffers are in range; what
 * operators, types and sizes mean together is not looked at.
 *
 * Errors: QuantError `invalid-file`; `unsupported` for several subgraphs, sparse tensors, data outside of the flatbuffer, and
 * other quantization schemes than scale and zero point.
 * Source: tensorflow/lite/schema/schema.fbs, whose slots are the numbers below.
 */
export function decodeFile(bytes: Uint8Array): FileModel {
  const root = rootTable(bytes, FILE_IDENTIFIER);
  const version = int32Field(root, 0);
  if (version !== SCHEMA_VERSION) throw fileError(`expected schema version ${SCHEMA_VERSION}, got ${version}`);
  const subgraphs = tableElements(root, 2);
  if (subgraphs.length !== 1) {
    throw unsupported(`expected one subgraph, got ${subgraphs.length}; control flow is not supported`);
  }
  const [subgraph] = subgraphs;
  const buffers = tableElements(root, 4);
  if (buffers.length > 0 && vectorField(buffers[0], 0, 1).length > 0) {
    throw fileError("expected buffer 0 to be empty, got data");
  }
  const tensors = tableElements(subgraph, 0).map((table) => decodeTensor(table, buffers));
  const indices = (table: Table, slot: number, least: number): number[] => {
    const found = int32Elements(table, slot);
    const wrong = found.find((index) => index < least || index >= tensors.length);
    if (wrong !== undefined) throw fileError(`expected indices of ${tensors.length} tensors, got ${wrong}`);
    return found;
  };
  const codes = tableElements(root, 1).map((table) => ({
    // Up to 127 ops stood in a byte; newer files write both fields, the byte capped at 127.
    code: Math.max(int8Field(table, 0), int32Field(table, 3)),
    version: int32Field(table, 2, 1),
    custom: textField(table, 1),
  }));
  const operators = tableElements(subgraph, 3).map((table): FileOperator => {
    const index = int32Field(table, 0);
    const known = codes[index];
    if (known === undefined) throw fileError(`expected indices of ${codes.length} operator codes, got ${index}`);
    const { code, version, custom } = known;
    return {
      code,
      version,
      ...(custom === undefined ? {} : { custom }),
      inputs: indices(table, 1, -1),
      outputs: indices(table, 2, 0),
      options: decodeOptions(table, code),
    };
  });
  return {
    name: textField(subgraph, 4) ?? "",
    tensors,
    inputs: indices(subgraph, 1, 0),
    outputs: indices(subgraph, 2, 0),
    operators,
  };
}

function unsupported(message: string): QuantError {
  return new QuantError("unsupported", `readTflite: ${message}`);
}

function decodeTensor(table: Table, buffers: readonly Table[]): FileTensor {
  const name = textField(table, 3) ?? "";
  const shape = vectorField(table, 0, 4).length > MAX_RANK ? undefined : int32Elements(table, 0);
  if (shape === undefined) throw fileError(`expected at most ${MAX_RANK} sizes of a tensor, got more`);
  const index = int32Field(table, 2);
  if (index < 0 || index >= buffers.length) {
    throw fileError(`expected an index of ${buffers.length} buffers, got ${index}`);
  }
  if (tableField(table, 6) !== undefined) throw unsupported("expected dense tensors, got a sparse one");
  if (hasField(buffers[index], 1)) throw unsupported("expected data inside of the flatbuffer, got some behind it");
  const data = bytesOf(buffers[index], 0);
  const quantization = tableField(table, 4);
  return {
    name,
    shape,
    type: int8Field(table, 1),
    ...(data.length === 0 ? {} : { data }),
    ...(quantization === undefined
      ? { scales: new Float32Array(), zeroPoints: [], axis: 0 }
      : decodeGrid(quantization)),
  };
}

function decodeGrid(table: Table): Pick<FileTensor, "scales" | "zeroPoints" | "axis"> {
  if (int8Field(table, 4) !== 0) throw unsupported("expected scales and zero points, got custom quantization");
  const { view } = table.file;
  const scales = vectorField(table, 2, 4);
  const zeros = vectorField(table, 3, 8);
  return {
    scales: Float32Array.from({ length: scales.length }, (_, i) => view.getFloat32(scales.start + 4 * i, true)),
    zeroPoints: Array.from({ length: zeros.length }, (_, i) => Number(view.getBigInt64(zeros.start + 8 * i, true))),
    axis: int32Field(table, 6),
  };
}

function bytesOf(table: Table, slot: number): Uint8Array {
  const { start, length } = vectorField(table, slot, 1);
  return table.file.bytes.subarray(start, start + length);
}

function decodeOptions(operator: Table, code: number): number[] {
  const [union, fields] = OPTIONS[code] ?? [0, ""];
  const found = int8Field(operator, 3);
  if (union !== 0 && found !== 0 && found !== union) {
    throw fileError(`expected options ${union} of operator ${code}, got ${found}`);
  }
  const table = found === 0 || union === 0 ? undefined : tableField(operator, 4);
  if (fields === "v") return table === undefined ? [] : int32Elements(table, 0);
  return Array.from(fields, (kind, slot) => {
    const otherwise = kind === "I" ? 1 : 0;
    if (table === undefined) return otherwise;
    if (kind === "b") return int8Field(table, slot);
    return kind === "f" ? float32Field(table, slot) : int32Field(table, slot, otherwise);
  });
}
