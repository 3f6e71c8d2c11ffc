// Begins an output and never ends it, so that a test can end the process: path, kind.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OutputKind, replaceWhenDone } from "../../src/cli/replace-when-done.js";

const [path, kind] = process.argv.slice(2);
await replaceWhenDone(path, kind as OutputKind, true, async (partial) => {
  writeFileSync(kind === "file" ? partial : join(partial, "model.json"), "half");
  console.log("half written");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
