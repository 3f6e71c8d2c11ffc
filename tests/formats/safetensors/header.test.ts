import assert from "node:assert/strict";
import { test } from "node:test";
import { QuantError } from "../../../src/core/errors.js";
import {
  encodeHeader,
  type Header,
  jsonLength,
  PREFIX_BYTES,
  parseHeader,
} from "../../../src/formats/safetensors/header.js";
import { fileOf, headerOf } from "./by-hand.js";

function parse(file: Uint8Array): Header {
  const length = jsonLength("read", file.subarray(0, PREFIX_BYTES), file.length);
  const data = file.length - PREFIX_BYTES - length;
  return parseHeader("read", file.subarray(PREFIX_BYTES, PREFIX_BYTES + length), data);
}

function tensor(dtype: unknown, shape: unknown, offsets: unknown): object {
  return { dtype, shape, data_offsets: offsets };
}

function prefix(length: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

const DTYPES =
  "BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64";
const LONG = "n".repeat(1000);

const HOSTILE: readonly [title: string, file: Uint8Array, message: string][] = [
  ["an empty file", new Uint8Array(0), "read: expected at least 8 bytes, got 0"],
  ["7 bytes", new Uint8Array(7), "read: expected at least 8 bytes, got 7"],
  [
    "a length above 100 MB",
    prefix(100_000_001n),
    "read: expected a header of at most 100000000 bytes, got a length of 100000001",
  ],
  [
    "the largest length",
    prefix(2n ** 64n - 1n),
    "read: expected a header of at most 100000000 bytes, got a length of 18446744073709551615",
  ],
  [
    "a length beyond the file",
    fileOf("{}").subarray(0, 9),
    "read: expected a header of 2 bytes, got 1; the file is truncated or not safetensors",
  ],
  ["no header", fileOf(""), 'read: expected a header that begins with "{", got nothing; the file is not safetensors'],
  [
    "an array",
    fileOf("[]"),
    'read: expected a header that begins with "{", got byte 0x5b; the file is not safetensors',
  ],
  [
    "a space first",
    fileOf(" {}"),
    'read: expected a header that begins with "{", got byte 0x20; the file is not safetensors',
  ],
  ["text that is not JSON", fileOf("{]"), 'read, header: expected JSON, got "{]"'],
  ["two objects", fileOf("{}{}"), 'read, header: expected JSON, got "{}{}"'],
  ["an open string", fileOf('{"a'), 'read, header: expected JSON, got "{\\"a"'],
  ["a wrong escape", fileOf('{"\\x":1}'), 'read, header: expected JSON, got "{\\"\\\\x\\":1}"'],
  [
    "bytes that are not UTF-8",
    (() => {
      const file = fileOf('{"a":1}');
      file[10] = 0xff;
      return file;
    })(),
    "read: expected a header in UTF-8, got bytes that are not",
  ],
  [
    "a name twice",
    fileOf(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    'read, header: expected each key once, got "a" twice',
  ],
  [
    "a name twice, once escaped",
    fileOf(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061" : {"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    'read, header: expected each key once, got "a" twice',
  ],
  [
    "a field twice",
    fileOf('{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', 2),
    'read, header: expected each key once, got "shape" twice',
  ],
  [
    "metadata twice",
    fileOf('{"__metadata__":{},"__metadata__":{}}'),
    'read, header: expected each key once, got "__metadata__" twice',
  ],
  [
    "a tensor __proto__",
    fileOf('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    'read, header: expected no key "__proto__", got one',
  ],
  [
    "metadata __proto__",
    fileOf('{"__metadata__":{"__proto__":"x"}}'),
    'read, header: expected no key "__proto__", got one',
  ],
  [
    "deep nesting",
    fileOf(`{"a":${"[".repeat(100_000)}`),
    "read, header: expected JSON at most 3 levels deep, got more at character 7",
  ],
  ["metadata as a list", fileOf({ __metadata__: [] }), "read: expected __metadata__ as an object of strings, got []"],
  ["metadata null", fileOf({ __metadata__: null }), "read: expected __metadata__ as an object of strings, got null"],
  [
    "metadata of numbers",
    fileOf({ __metadata__: { step: 1 } }),
    'read: expected __metadata__ "step" as a string, got 1',
  ],
  ["a tensor null", fileOf({ a: null }), 'read "a": expected { dtype, shape, data_offsets }, got null'],
  ["a tensor as a list", fileOf({ a: [] }), 'read "a": expected { dtype, shape, data_offsets }, got []'],
  [
    "no dtype",
    fileOf({ a: { shape: [1], data_offsets: [0, 1] } }, 1),
    `read "a": expected a dtype (${DTYPES}), got undefined`,
  ],
  [
    "an unknown dtype",
    fileOf({ a: tensor("F31", [1], [0, 4]) }, 4),
    `read "a": expected a dtype (${DTYPES}), got "F31"`,
  ],
  [
    "an inherited dtype",
    fileOf({ a: tensor("toString", [1], [0, 4]) }, 4),
    `read "a": expected a dtype (${DTYPES}), got "toString"`,
  ],
  [
    "a dtype as a list",
    fileOf({ a: tensor(["F32"], [1], [0, 4]) }, 4),
    `read "a": expected a dtype (${DTYPES}), got ["F32"]`,
  ],
  [
    "no shape",
    fileOf({ a: tensor("U8", undefined, [0, 1]) }, 1),
    'read "a": expected a shape of non-negative integers, got undefined',
  ],
  [
    "a negative dim",
    fileOf({ a: tensor("U8", [-1, -4], [0, 4]) }, 4),
    'read "a": expected a shape of non-negative integers, got [-1,-4]',
  ],
  [
    "minus zero",
    fileOf('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}'),
    'read "a": expected a shape of non-negative integers, got [0]',
  ],
  [
    "a fractional dim",
    fileOf({ a: tensor("U8", [0.5, 8], [0, 4]) }, 4),
    'read "a": expected a shape of non-negative integers, got [0.5,8]',
  ],
  [
    "a dim as text",
    fileOf({ a: tensor("U8", ["4"], [0, 4]) }, 4),
    'read "a": expected a shape of non-negative integers, got ["4"]',
  ],
  [
    "a dim of 2^53",
    fileOf('{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,0]}}'),
    'read "a": expected a shape of non-negative integers, got [9007199254740992]',
  ],
  [
    "a product that wraps around to 0 in 64 bits",
    fileOf({ a: tensor("U8", [2 ** 32, 2 ** 32], [0, 0]) }),
    'read "a": expected fewer than 2^53 bits of data, got shape [4294967296,4294967296]',
  ],
  [
    "a product that overflows before a 0",
    fileOf({ a: tensor("F32", [2 ** 52, 2 ** 52, 0], [0, 0]) }),
    'read "a": expected fewer than 2^53 bits of data, got shape [4503599627370496,4503599627370496,0]',
  ],
  [
    "no offsets",
    fileOf({ a: tensor("U8", [1], undefined) }, 1),
    'read "a": expected data_offsets [begin, end], got undefined',
  ],
  ["one offset", fileOf({ a: tensor("U8", [1], [0]) }, 1), 'read "a": expected data_offsets [begin, end], got [0]'],
  [
    "three offsets",
    fileOf({ a: tensor("U8", [1], [0, 1, 2]) }, 1),
    'read "a": expected data_offsets [begin, end], got [0,1,2]',
  ],
  [
    "a negative offset",
    fileOf({ a: tensor("U8", [2], [-1, 1]) }, 1),
    'read "a": expected data_offsets [begin, end], got [-1,1]',
  ],
  [
    "reversed offsets",
    fileOf({ a: tensor("U8", [1], [1, 0]) }, 1),
    'read "a": expected data_offsets [begin, end], got [1,0]',
  ],
  [
    "too few bytes",
    fileOf({ a: tensor("F32", [2], [0, 4]) }, 4),
    'read "a": expected 8 bytes for F32 [2], got data_offsets [0,4]',
  ],
  [
    "too many bytes",
    fileOf({ a: tensor("I16", [2], [0, 8]) }, 8),
    'read "a": expected 4 bytes for I16 [2], got data_offsets [0,8]',
  ],
  [
    "bytes of an empty tensor",
    fileOf({ a: tensor("F32", [0], [0, 4]) }, 4),
    'read "a": expected 0 bytes for F32 [0], got data_offsets [0,4]',
  ],
  [
    "half a byte",
    fileOf({ a: tensor("F4", [3], [0, 2]) }, 2),
    'read "a": expected whole bytes, got 12 bits for F4 [3]',
  ],
  [
    "data beyond the file",
    fileOf({ a: tensor("F32", [4], [0, 16]) }, 15),
    'read "a": expected data_offsets within 15 bytes of data, got [0,16]; the file may be truncated',
  ],
  [
    "a terabyte that is not there",
    fileOf({ a: tensor("U8", [2 ** 40], [0, 2 ** 40]) }),
    'read "a": expected data_offsets within 0 bytes of data, got [0,1099511627776]; the file may be truncated',
  ],
  [
    "a hole in front",
    fileOf({ a: tensor("U8", [1], [1, 2]) }, 2),
    'read "a": expected data that begins at 0, where the tensor before it ends, got 1: a hole',
  ],
  [
    "a hole between",
    fileOf({ b: tensor("U8", [1], [3, 4]), a: tensor("U8", [2], [0, 2]) }, 4),
    'read "b": expected data that begins at 2, where the tensor before it ends, got 3: a hole',
  ],
  [
    "an overlap",
    fileOf({ a: tensor("U8", [3], [0, 3]), b: tensor("U8", [2], [2, 4]) }, 4),
    'read "b": expected data that begins at 3, where the tensor before it ends, got 2: an overlap',
  ],
  [
    "the same data twice",
    fileOf({ a: tensor("U8", [4], [0, 4]), b: tensor("U8", [4], [0, 4]) }, 4),
    'read "b": expected data that begins at 4, where the tensor before it ends, got 0: an overlap',
  ],
  [
    "data of nobody",
    fileOf({ a: tensor("U8", [1], [0, 1]) }, 3),
    "read: expected tensors that cover 3 bytes of data, got 1",
  ],
  ["data without tensors", fileOf("{}", 3), "read: expected tensors that cover 3 bytes of data, got 0"],
  [
    "a very long name",
    fileOf({ [LONG]: tensor("U8", [1], [1, 0]) }, 1),
    `read "${LONG.slice(0, 79)}…: expected data_offsets [begin, end], got [1,0]`,
  ],
];

for (const [title, file, message] of HOSTILE) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () => parse(file),
      (error) => {
        assert.ok(error instanceof QuantError);
        assert.deepEqual([error.code, error.message], ["invalid-file", message]);
        return true;
      },
    );
  });
}

test("accepts tensors in any order, empty ones between, spaces and unknown fields", () => {
  const header = parse(
    fileOf(
      '{ "b":{"dtype":"F32","shape":[],"data_offsets":[3,7],"note":[1]},"e":{"dtype":"F64","shape":[0,9],"data_offsets":[3,3]},\n' +
        '"__metadata__":{"format":"pt"},"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]} }  ',
      7,
    ),
  );
  assert.deepEqual(header, {
    tensors: [
      { name: "a", dtype: "F4", shape: [2, 3], beginBytes: 0, endBytes: 3 },
      { name: "e", dtype: "F64", shape: [0, 9], beginBytes: 3, endBytes: 3 },
      { name: "b", dtype: "F32", shape: [], beginBytes: 3, endBytes: 7 },
    ],
    metadata: { format: "pt" },
  });
});

test("without a known size, data may end anywhere: the reader of the data checks", () => {
  const file = fileOf({ a: tensor("U8", [2 ** 40], [0, 2 ** 40]) });
  assert.equal(parseHeader("read", file.subarray(8), undefined).tensors[0].endBytes, 2 ** 40);
  assert.equal(jsonLength("read", prefix(100_000_000n), undefined), 100_000_000);
});

test("a header is padded with spaces to 8 bytes, and keeps names that look like integers in their place", () => {
  const entries = [
    { name: "b", dtype: "U8", shape: [3], beginBytes: 0, endBytes: 3 },
    { name: "0", dtype: "U8", shape: [], beginBytes: 3, endBytes: 4 },
  ] as const;
  const bytes = encodeHeader(entries, { format: "pt" });
  const { text, dataStart } = headerOf(bytes);
  assert.equal(
    text,
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"0":{"dtype":"U8","shape":[],"data_offsets":[3,4]}}',
  );
  assert.equal(dataStart, bytes.length);
  assert.equal(bytes.length % 8, 0);
  assert.deepEqual([...bytes.subarray(8 + text.length)], Array(bytes.length - 8 - text.length).fill(0x20));
});
