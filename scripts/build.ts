// Builds dist: the wasm files, one set of bundles per export condition, the script-tag bundles, and the types.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const { version } = JSON.parse(await readFile("package.json", "utf8"));

/** What src/wasm/binary.ts and src/wasm/infer-binary.ts become in a bundle. */
type Binary = "inline" | "module" | "edge-module";
/** The binaries: assembly/train.ts, assembly/infer.ts. */
const WASM_ENTRIES = ["train", "infer"] as const;

await clean();
await Promise.all([buildTypes(), buildAllWasm("simd").then(bundle), buildAllWasm("debug")]);

async function clean(): Promise<void> {
  await rm("build", { recursive: true, force: true });
  await mkdir("dist/wasm", { recursive: true });
  for (const name of await readdir("dist")) {
    if (name !== "README.md") await rm(`dist/${name}`, { recursive: true });
  }
  await mkdir("dist/wasm", { recursive: true });
}

/** In a process of its own, without the loader that runs this script: that would transform the compiler, too. */
async function buildWasm(entry: string, target: "simd" | "debug"): Promise<void> {
  const file = `build/${entry}.${target}.wasm`;
  const output = ["--outFile", file, "--textFile", `build/${entry}.${target}.wat`];
  await runCompiler("node_modules/assemblyscript/bin/asc.js", [`assembly/${entry}.ts`, "--target", target, ...output]);
  // An unknown target is no error to asc: it compiles with the plain options and writes no file.
  if (!existsSync(file)) throw new Error(`asc --target ${target}: expected it to write ${file}, got no file`);
  await copyFile(file, `dist/wasm/${entry}.${target}.wasm`);
}

async function buildAllWasm(target: "simd" | "debug"): Promise<void> {
  await Promise.all(WASM_ENTRIES.map((entry) => buildWasm(entry, target)));
}

function buildTypes(): Promise<void> {
  return runCompiler("node_modules/typescript/bin/tsc", ["-p", "tsconfig.types.json"]);
}

/** Runs a compiler to its end; what it prints is printed. */
function runCompiler(path: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${path}: exit ${code}`))));
  });
}

async function bundle(): Promise<void> {
  const entries = ["index", "runtime", "tfjs"].map((name) => `src/${name}.ts`);
  await Promise.all([
    esm([...entries, "src/cli.ts"], "dist", "inline"),
    esm(entries, "dist/workerd", "module"),
    esm(entries, "dist/edge-light", "edge-module"),
    scriptTag("src/global.ts", "dist/bitpress.global.js"),
    scriptTag("src/runtime.ts", "dist/bitpress.runtime.global.js"),
  ]);
  await chmod("dist/cli.js", 0o755);
}

function esm(entryPoints: string[], outdir: string, binary: Binary): Promise<unknown> {
  return esbuild.build({
    ...options(binary),
    format: "esm",
    splitting: true,
    chunkNames: "chunks/[hash]",
    entryPoints,
    outdir,
  });
}

function scriptTag(entry: string, outfile: string): Promise<unknown> {
  return esbuild.build({
    ...options("inline"),
    format: "iife",
    globalName: "bitpress",
    entryPoints: [entry],
    outfile,
  });
}

function options(binary: Binary): esbuild.BuildOptions {
  return {
    bundle: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    minify: true,
    sourcemap: true,
    legalComments: "none",
    logLevel: "warning",
    external: ["@tensorflow/tfjs", "node:*"],
    define: { BITPRESS_VERSION: JSON.stringify(version) },
    plugins: [swapBinary(binary), pageTensorflow()],
  };
}

/** Replaces src/wasm/binary.ts and infer-binary.ts by the inline bytes or by an import of the .wasm file. */
function swapBinary(binary: Binary): esbuild.Plugin {
  const contents = (entry: string, name: string): string =>
    binary === "inline"
      ? `import bytes from "wasm-bytes:${entry}"; export const ${name} = () => ({ bytes });`
      : `import module from "../wasm/${entry}.simd.wasm${binary === "edge-module" ? "?module" : ""}"; export const ${name} = () => ({ module });`;
  return {
    name: "swap-binary",
    setup(build) {
      for (const [filter, entry, name] of [
        [/src[\\/]wasm[\\/]binary\.ts$/, "train", "defaultBinary"],
        [/src[\\/]wasm[\\/]infer-binary\.ts$/, "infer", "inferBinary"],
      ] as const) {
        build.onLoad({ filter }, () => ({ contents: contents(entry, name), loader: "js", resolveDir: "src" }));
      }
      build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
      build.onResolve({ filter: /^wasm-bytes:/ }, ({ path }) => ({ path: path.slice(11), namespace: "bytes" }));
      build.onLoad({ filter: /.*/, namespace: "bytes" }, async ({ path }) => ({
        contents: await readFile(`build/${path}.simd.wasm`),
        loader: "binary",
      }));
    },
  };
}

/**
 * In the script-tag bundle, tfjs is the page's own global `tf`, looked up at each use, so that pages without tfjs work too.
 * esbuild copies a module's own properties and keeps its prototype: the proxy has to be the prototype. The library's layers
 * are classes, which need the class they extend when the script runs: without tfjs they get one that only throws.
 */
function pageTensorflow(): esbuild.Plugin {
  return {
    name: "page-tensorflow",
    setup(build) {
      if (build.initialOptions.format !== "iife") return;
      build.onResolve({ filter: /^@tensorflow\/tfjs$/ }, ({ path }) => ({ path, namespace: "page" }));
      build.onLoad({ filter: /.*/, namespace: "page" }, () => ({
        contents: `
          const fail = () => {
            throw new Error('bitpress.tfjs: expected the global "tf" of a tfjs script tag, got none; load tfjs before');
          };
          const absent = { layers: { Layer: class { constructor() { fail(); } } }, serialization: { registerClass() {} } };
          module.exports = Object.create(new Proxy({}, {
            get: (_, name) => (globalThis.tf ?? absent)[name] ?? fail(),
          }));`,
        loader: "js",
      }));
    },
  };
}
