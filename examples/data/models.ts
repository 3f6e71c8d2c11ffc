import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type ModelArtifacts, readTfjs } from "bitpress";

/** Reads a tfjs model folder: model.json and every file beside it. */
export function modelFolder(folder: string): ModelArtifacts {
  return readTfjs(Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])));
}

/** A model of the npm package nsfwjs, which carries models as JavaScript: layers models, but for mobilenet_v2_mid (graph). */
export function nsfwModel(name: "mobilenet_v2" | "mobilenet_v2_mid" | "inception_v3"): ModelArtifacts {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve(`nsfwjs/models/${name}`)).replace(/dist.*/, `dist/models/${name}`);
  const part = (file: string): unknown => {
    const loaded = require(join(folder, `${file}.min.js`));
    return loaded.default ?? loaded;
  };
  const json = part("model") as { weightsManifest: { paths: string[] }[] };
  const shards = json.weightsManifest.flatMap(({ paths }) => paths);
  return readTfjs({
    "model.json": new TextEncoder().encode(JSON.stringify(json)),
    ...Object.fromEntries(shards.map((path) => [path, Buffer.from(part(path) as string, "base64")])),
  });
}
