import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { type Consumer, root } from "../packaging/consumer.js";

/** How the page, worker or program gets the package. */
export type Target =
  /** The host resolves `import "bitpress"` by itself. */
  | "bare"
  /** Bundled with the package's default condition. */
  | "default"
  /** The script-tag bundle, already on the page as the global `bitpress`; tfjs is the page's `tf`. */
  | "global"
  /** Bundled with the package's `workerd` condition; .wasm and .tflite files stay imports. */
  | "workerd"
  /** Bundled with the package's `edge-light` condition; `….wasm?module` becomes `globalThis.wasmModules[file name]`. */
  | "edge-light";

/** Bundles one entry of tests/runtimes for a host; returns the JavaScript. */
export async function bundle(entry: string, target: Target, consumer: Consumer): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [join(root, "tests/runtimes", entry)],
    bundle: true,
    write: false,
    target: "es2022",
    platform: "neutral",
    format: target === "global" || target === "edge-light" ? "iife" : "esm",
    globalName: "entry",
    conditions: target === "workerd" || target === "edge-light" ? [target] : [],
    external: target === "bare" ? ["bitpress", "bitpress/runtime"] : [],
    plugins: [resolveFrom(consumer, target), wasmImports(target)],
    logLevel: "warning",
  });
  return result.outputFiles[0].text;
}

/** Resolves the package as the consumer's project would: what was packed, not the repository. */
function resolveFrom({ dir }: Consumer, target: Target): esbuild.Plugin {
  return {
    name: "resolve-from-consumer",
    setup(build) {
      if (target === "global") {
        const globals: Readonly<Record<string, string>> = {
          bitpress: "bitpress",
          "bitpress/runtime": "bitpress",
          "bitpress/tfjs": "bitpress.tfjs",
          "@tensorflow/tfjs": "tf",
        };
        build.onResolve({ filter: /^(bitpress|@tensorflow)\b/ }, ({ path }) => ({ path, namespace: "global" }));
        build.onLoad({ filter: /.*/, namespace: "global" }, ({ path }) => ({
          contents: `module.exports = globalThis.${globals[path]};`,
        }));
      } else if (target !== "bare") {
        build.onResolve({ filter: /^bitpress($|\/)/ }, ({ path, kind, pluginData }) =>
          pluginData === "resolved"
            ? undefined
            : build.resolve(path, { kind, resolveDir: dir, pluginData: "resolved" }),
        );
      }
    },
  };
}

/** What workers' bundlers do with an imported .wasm file: it becomes a WebAssembly.Module, compiled by the host. Data comes as bytes. */
function wasmImports(target: Target): esbuild.Plugin {
  return {
    name: "wasm-imports",
    setup(build) {
      build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => {
        const file = basename(path.replace("?module", ""));
        if (target === "workerd") return { path: `./${file}`, external: true };
        return { path: file, namespace: "wasm-module" };
      });
      build.onResolve({ filter: /\.tflite$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true }));
      build.onLoad({ filter: /.*/, namespace: "wasm-module" }, ({ path }) => ({
        contents: `export default globalThis.wasmModules[${JSON.stringify(path)}];`,
      }));
    },
  };
}
