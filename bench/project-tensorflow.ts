import { createRequire } from "node:module";
import type * as tf from "@tensorflow/tfjs";

// A file of its own: two copies of tfjs in one process would warn of every kernel that the second registers again.

/** The library's ops run on the tfjs that its sources import: the project's, not the one installed for the bench. */
export async function startProjectTensorflow(): Promise<typeof tf> {
  const require = createRequire(new URL("../src/tfjs.ts", import.meta.url));
  const found = require("@tensorflow/tfjs") as typeof tf;
  (require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm")).setThreadsCount(1);
  if (!(await found.setBackend("wasm"))) throw new Error("tfjs: expected the wasm backend, got a host without it");
  return found;
}
