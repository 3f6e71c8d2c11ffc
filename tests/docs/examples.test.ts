import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, mock } from "node:test";
import { fileURLToPath } from "node:url";
import * as bitpress from "../../src/index.js";
import { smallNet } from "../graph/quantized-sketch.js";

// Runs every @example of the docstrings in src and compares results with the comments that state them. A comment behind a
// statement, or on the line after it, states its value:
//
//     Int8Array [-2, 1, 3]            an array of that type (without a name: a list)
//     scale fl(1/127), zeroPoint 0    an object with at least these fields
//     8, "simd", true                 the value itself; numbers may be fl(a/b) or hexadecimal

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Example {
  readonly file: string;
  readonly code: string;
}

function examplesOf(file: string): Example[] {
  const source = readFileSync(join(root, "src", file), "utf8");
  return [...source.matchAll(/\* @example\n((?: +\*(?!\/).*\n)*)/g)].map(([, lines]) => ({
    file,
    code: lines.replace(/^ +\* ?/gm, "").trim(),
  }));
}

/** The code with each statement that has a comment made into a call of `state(value, comment)`. */
function withStatements(code: string): string {
  return code
    .replace(/;\n\/\/ /g, "; // ")
    .split("\n")
    .map((line) =>
      line.replace(/^(.*); \/\/ (.*)$/, (_, value, comment) => `state(${value}, ${JSON.stringify(comment)});`),
    )
    .join("\n");
}

function numberOf(text: string): number {
  const quotient = /^fl\((.+)\/(.+)\)$/.exec(text);
  return quotient === null ? Number(text) : Math.fround(Number(quotient[1]) / Number(quotient[2]));
}

/** Fails unless the value is what the comment says. */
function state(value: unknown, comment: string): void {
  const list = /^(\w*Array)? ?\[(.*)\]$/.exec(comment);
  if (list !== null) {
    const [, type = "Array", items] = list;
    assert.equal((value as object).constructor.name, type);
    assert.deepEqual(
      Array.from(value as ArrayLike<unknown>),
      items.split(", ").map((item) => (item.startsWith('"') ? JSON.parse(item) : numberOf(item))),
    );
    return;
  }
  const fields = [...comment.matchAll(/(\w+) (\[[^\]]*\]|[^,[\s]+)(?:, |$)/g)];
  if (fields.length === 0) {
    assert.deepEqual(value, /^["tf]/.test(comment) ? JSON.parse(comment) : numberOf(comment));
    return;
  }
  // The fields found make up the comment, so that none is overlooked.
  assert.equal(fields.map(([match]) => match).join(""), comment);
  for (const [, name, text] of fields) {
    const field = (value as Record<string, unknown>)[name];
    if (text.startsWith("["))
      assert.deepEqual(Array.from(field as ArrayLike<number>), text.slice(1, -1).split(", ").map(numberOf));
    else assert.deepEqual(field, text.startsWith('"') ? JSON.parse(text) : numberOf(text), name);
  }
}

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);
const examples = files.flatMap(examplesOf);

describe("examples in docstrings", () => {
  const folder = process.cwd();
  const scratch = mkdtempSync(join(tmpdir(), "examples-"));
  before(async () => {
    process.chdir(scratch);
    const weights = { "fc.weight": { data: Float32Array.of(1, -2), shape: [1, 2] } };
    await writeFile("model.safetensors", bitpress.writeSafetensors(weights));
    await writeFile("model.tflite", bitpress.writeTflite(smallNet()));
    mock.method(globalThis, "fetch", async (url: string) => {
      const name = url.replace("https://example.com/bitpress/", "");
      return new Response(new Uint8Array(await readFile(join(root, "dist", name))), {
        headers: { "content-type": "application/wasm" },
      });
    });
  });
  after(() => {
    mock.restoreAll();
    process.chdir(folder);
    rmSync(scratch, { recursive: true });
  });

  for (const { file, code } of examples) {
    it(`${file}: ${code.split("\n")[0]}`, async () => {
      const opened: { close(): Promise<void> }[] = [];
      const scope = {
        ...bitpress,
        readFile,
        writeFile,
        state,
        async open(...args: Parameters<typeof open>) {
          const handle = await open(...args);
          opened.push(handle);
          return handle;
        },
      };
      const run = new Function(...Object.keys(scope), `return (async () => { ${withStatements(code)} })();`);
      await run(...Object.values(scope));
      for (const handle of opened) await handle.close();
    });
  }

  it("call every public function and class", () => {
    const called = examples.map(({ code }) => code).join("\n");
    const silent = Object.entries(bitpress)
      .filter(([name, value]) => typeof value === "function" && !new RegExp(`\\b${name}\\(`).test(called))
      .map(([name]) => name);
    // Thrown by the library, not by its users.
    assert.deepEqual(silent, ["QuantError"]);
  });

  it("comments that are wrong fail", () => {
    state(Int8Array.of(1, -2), "Int8Array [1, -2]");
    const wrong: [unknown, string][] = [
      [Int8Array.of(1, -2), "Int8Array [1, 2]"],
      [Int8Array.of(1), "Uint8Array [1]"],
      [[0], "[-0]"],
      [{ scale: 1 / 3 }, "scale fl(1/3)"],
      [{ min: Float32Array.of(1) }, "min [2]"],
      [{ min: 1, max: 2 }, "min 1, max 3"],
      [{ min: 1 }, "min 1 or so"],
      [8, "9"],
      ["simd", '"debug"'],
      [true, "false"],
    ];
    for (const [value, comment] of wrong)
      assert.throws(() => state(value, comment), { name: "AssertionError" }, comment);
  });
});
