// Entry for workerd, which compiles imported .wasm files when a worker is deployed and runs its test().
import { init } from "bitpress";
import inferDebug from "bitpress/wasm/infer.debug.wasm";
import trainDebug from "bitpress/wasm/train.debug.wasm";
import { forbiddenBytes } from "./forbidden-bytes.js";
import { smoke } from "./smoke.js";
import { smokeRuntime } from "./smoke-runtime.js";

export default {
  async test(): Promise<void> {
    const simd = smoke();
    const forbidden = await forbiddenBytes();
    const runtime = smokeRuntime();
    await init({ module: trainDebug, build: "debug" });
    await init({ module: inferDebug, build: "debug" });
    console.log(JSON.stringify({ simd, runtime, debug: smoke(), runtimeDebug: smokeRuntime(), forbidden }));
  },
};
