// Entry for a page whose Content-Security-Policy may forbid compiling WebAssembly.
import { init } from "bitpress";
import { attempt, report } from "./page-report.js";
import { smoke } from "./smoke.js";

async function run(): Promise<void> {
  const first = await attempt(smoke);
  const url = await attempt(async () => {
    await init({ url: "/bitpress/wasm/train.simd.wasm" });
    return smoke();
  });
  await init({ build: "reference" });
  await report({ first, url, reference: smoke() });
}

run();
