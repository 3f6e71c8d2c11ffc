import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The folders of src from left to right: each imports only from itself and those to its left. */
const ORDER = [
  ["core"],
  ["reference"],
  ["wasm"],
  ["observers"],
  ["graph"],
  ["formats"],
  ["runtime"],
  ["quantizers"],
  ["arrays", "tfjs"],
  ["cli"],
  ["."], // the entries
];

/** Modules of src that only pass names on. */
const ENTRIES = ["index", "runtime", "tfjs", "global"];

/** Tests in a folder of src that look at no single file of it. */
const OF_NO_SOURCE = ["tests/wasm/binaries.test.ts"];

const MAX_LINES = 500;
const FORBIDDEN_NAMES = /(^|-)(utils?|helpers?|misc|common|shared|stuff)(-|$)/;

function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const withoutComments = (code: string): string => code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

/** Module names in imports, exports, import types and dynamic imports. */
function importsOf(path: string): string[] {
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\()\s*["']([^"']+)["']/g;
  return Array.from(withoutComments(read(path)).matchAll(pattern), ([, name]) => name);
}

const sources = filesBelow("src").filter((path) => path.endsWith(".ts"));
const kernels = filesBelow("assembly/kernels").map((path) => basename(path, ".ts"));

function folderOf(path: string): string {
  const [, first, ...rest] = path.split("/");
  return rest.length === 0 ? "." : first;
}

function rankOf(folder: string): number {
  const rank = ORDER.findIndex((folders) => folders.includes(folder));
  assert.notEqual(rank, -1, `src/${folder} has no place in the order of folders`);
  return rank;
}

test("folders of src import only from their left", () => {
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => name.startsWith("."))
      .map((name) => normalize(join(dirname(path), name)))
      .filter((target) => {
        const [from, to] = [folderOf(path), folderOf(target)];
        return from !== to && rankOf(to) >= rankOf(from);
      })
      .map((target) => `${path} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test("imports in src name files that exist, by their .js name", () => {
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => name.startsWith("."))
      .filter((name) => !existsSync(join(root, dirname(path), name.replace(/\.js$/, ".ts"))) || !name.endsWith(".js"))
      .map((name) => `${path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test("bare imports: tfjs in src/tfjs, the loader in src/wasm, flatbuffers in the writer of .tflite, node: in the command line and the source tree's binaries", () => {
  const allowed = (path: string, name: string): boolean => {
    if (name.startsWith("node:"))
      return folderOf(path) === "cli" || path === "src/cli.ts" || /^src\/wasm\/(infer-)?binary\.ts$/.test(path);
    if (name === "@tensorflow/tfjs") return folderOf(path) === "tfjs";
    if (name === "flatbuffers") return path === "src/formats/tflite/encode-file.ts";
    return name === "@assemblyscript/loader" && path === "src/wasm/instantiate-loaded.ts";
  };
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => !name.startsWith(".") && !allowed(path, name))
      .map((name) => `${path} imports ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test("entries only pass names on", () => {
  const passing = /^(export (type )?(\*( as \w+)?|\{[^}]*\}) from "[^"]+";|import "[^"]+";)\s*/;
  for (const path of [
    ...ENTRIES.map((name) => `src/${name}.ts`).filter((path) => sources.includes(path)),
    "assembly/train.ts",
    "assembly/infer.ts",
  ]) {
    let rest = withoutComments(read(path)).trim();
    while (passing.test(rest)) rest = rest.replace(passing, "");
    assert.equal(rest, "", path);
  }
});

test("each kernel has its definition, its typed function and its tests, all of one name", () => {
  assert.notEqual(kernels.length, 0);
  const specs = filesBelow("tests/assembly").map((path) => basename(path));
  const missing = kernels.flatMap((name) => [
    ...[`src/reference/${name}.ts`, `src/wasm/${name}.ts`, `tests/reference/${name}.test.ts`].filter(
      (path) => !existsSync(join(root, path)),
    ),
    ...(specs.includes(`${name}.spec.ts`) ? [] : [`tests/assembly/${name}.spec.ts`]),
  ]);
  assert.deepEqual(missing, []);
});

test("tests in folders named after those of src are named after the file they test", () => {
  const wrong = filesBelow("tests")
    .filter((path) => path.endsWith(".test.ts") && existsSync(join(root, "src", path.split("/")[1])))
    .filter((path) => !OF_NO_SOURCE.includes(path))
    .filter((path) => {
      const source = join("src", path.slice("tests/".length)).replace(/\.test\.ts$/, "");
      return !existsSync(join(root, `${source}.ts`)) && !existsSync(join(root, source));
    });
  assert.deepEqual(wrong, []);
});

test(`no file of code is longer than ${MAX_LINES} lines, tables of test cases aside`, () => {
  const code = ["assembly", "src", "scripts", "examples", "bench"].flatMap(filesBelow);
  const long = code
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .map((path) => ({ path, lines: read(path).split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES);
  assert.deepEqual(long, []);
});

test("file and folder names are kebab-case and say what is inside", () => {
  const code = ["assembly", "src", "scripts", "tests", "examples", "bench"].flatMap(filesBelow);
  const wrong = code
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .filter((path) =>
      path
        .replace(/(\.test|\.spec|\.config|\.d)?\.ts$/, "")
        .split("/")
        .some((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || FORBIDDEN_NAMES.test(name)),
    );
  assert.deepEqual(wrong, []);
});

test("all code is TypeScript or AssemblyScript", () => {
  const code = ["assembly", "src", "scripts", "tests", "examples", "bench"].flatMap(filesBelow);
  assert.deepEqual(
    code.filter((path) => /\.[cm]?jsx?$/.test(path) && !path.includes("node_modules")),
    [],
  );
});
