import { Builder } from "flatbuffers";
import type { FileModel, FileOperator, FileTensor } from "./file-model.js";
import { runtimeVersion } from "./runtime-version.js";
import { FILE_IDENTIFIER, FORMS, SCHEMA_VERSION } from "./schema.js";

/** Alignment of the content of buffers. */
const BUFFER_ALIGNMENT = 16;

/** Fields of a table in slot order: absent where undefined. */
type Field = readonly [kind: "int8" | "int32" | "float32" | "offset", value: number] | undefined;

/**
 * The bytes of a .tflite file. The same model gives the same bytes.
 *
 * Buffer 0 is empty; each constant has a buffer of its own, aligned to 16 bytes in the file. Operator codes are written in
 * the old field and the new one; the metadata `min_runtime_version` says which TensorFlow Lite runs the file; the signature
 * `serving_default` gives inputs and outputs their names.
 *
 * Source: tensorflow/lite/schema/schema.fbs.
 */
export function encodeFile(model: FileModel): Uint8Array {
  const constants = model.tensors.reduce((size, { data }) => size + (data?.length ?? 0), 0);
  const builder = new Builder(constants + 4096);
  const text = (value: string): Field => ["offset", builder.createString(value)];
  const tables = (offsets: readonly number[]): Field => ["offset", vectorOf(builder, 4, offsets, "addOffset")];
  const ints = (values: readonly number[]): Field => ["offset", vectorOf(builder, 4, values, "addInt32")];
  const table = (...fields: Field[]): number => writeTable(builder, fields);
  const buffer = (data: Uint8Array): number => {
    builder.prep(BUFFER_ALIGNMENT, data.length);
    return table(["offset", builder.createByteVector(data)]);
  };

  const buffers = [table()];
  const tensors = model.tensors.map((tensor) => {
    const index = tensor.data === undefined ? 0 : buffers.push(buffer(tensor.data)) - 1;
    return table(
      ints(tensor.shape),
      ["int8", tensor.type],
      ["int32", index],
      text(tensor.name),
      quantizationOf(tensor),
      undefined,
      undefined,
      undefined,
      ["int8", 1],
    );
  });
  const keys = model.operators.map(({ code, version }) => `${code}.${version}`);
  const distinct = [...new Set(keys)];
  const codes = distinct.map((key) => {
    const { code, version } = model.operators[keys.indexOf(key)];
    return table(["int8", Math.min(code, 127)], undefined, ["int32", version], ["int32", code]);
  });
  const operators = model.operators.map((operator, i) => {
    const options = optionsOf(operator);
    return table(
      ["int32", distinct.indexOf(keys[i])],
      ints(operator.inputs),
      ints(operator.outputs),
      options === undefined ? undefined : ["int8", FORMS[operator.code][2]],
      options,
    );
  });
  const subgraph = table(tables(tensors), ints(model.inputs), ints(model.outputs), tables(operators), text(model.name));
  const version = new Uint8Array(16);
  new TextEncoder().encodeInto(runtimeVersion(model.operators), version);
  const metadata = table(text("min_runtime_version"), ["int32", buffers.push(buffer(version)) - 1]);
  const named = (indices: readonly number[]): Field =>
    tables(indices.map((index) => table(text(model.tensors[index].name), ["int32", index])));
  const signature = table(named(model.inputs), named(model.outputs), text("serving_default"));
  const root = table(
    ["int32", SCHEMA_VERSION],
    tables(codes),
    tables([subgraph]),
    text("bitpress"),
    tables(buffers),
    undefined,
    tables([metadata]),
    tables([signature]),
  );
  builder.finish(root, FILE_IDENTIFIER);
  return builder.asUint8Array().slice();

  function quantizationOf({ scales, zeroPoints, axis }: FileTensor): Field {
    if (scales.length === 0) return undefined;
    const scaleField: Field = ["offset", vectorOf(builder, 4, scales, "addFloat32")];
    builder.startVector(8, zeroPoints.length, 8);
    for (let i = zeroPoints.length - 1; i >= 0; i--) builder.addInt64(BigInt(zeroPoints[i]));
    const zeroField: Field = ["offset", builder.endVector()];
    return [
      "offset",
      table(
        undefined,
        undefined,
        scaleField,
        zeroField,
        undefined,
        undefined,
        axis === 0 ? undefined : ["int32", axis],
      ),
    ];
  }

  function optionsOf({ code, options }: FileOperator): Field {
    const [, , union, kinds] = FORMS[code];
    if (union === 0) return undefined;
    if (kinds === "v") return ["offset", table(ints(options))];
    const fields = Array.from(kinds, (kind, slot): Field => {
      return [kind === "b" ? "int8" : kind === "f" ? "float32" : "int32", options[slot]];
    });
    return ["offset", table(...fields)];
  }
}

function vectorOf(
  builder: Builder,
  bytes: number,
  values: ArrayLike<number>,
  add: "addOffset" | "addInt32" | "addFloat32",
): number {
  builder.startVector(bytes, values.length, bytes);
  for (let i = values.length - 1; i >= 0; i--) builder[add](values[i]);
  return builder.endVector();
}

/** Writes every field that is given, zeros too, so that no default of a schema matters. */
function writeTable(builder: Builder, fields: readonly Field[]): number {
  builder.startObject(fields.length);
  builder.forceDefaults(true);
  fields.forEach((field, slot) => {
    if (field === undefined) return;
    const [kind, value] = field;
    if (kind === "int8") builder.addFieldInt8(slot, value, 0);
    else if (kind === "int32") builder.addFieldInt32(slot, value, 0);
    else if (kind === "float32") builder.addFieldFloat32(slot, value, 0);
    else builder.addFieldOffset(slot, value, 0);
  });
  return builder.endObject();
}
