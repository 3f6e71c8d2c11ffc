// Entry for workerd, which compiles imported .wasm files when a worker is deployed and runs its test().
import { init } from "bitpress";
import debugModule from "bitpress/wasm/train.debug.wasm";
import { forbiddenBytes } from "./forbidden-bytes.js";
import { smoke } from "./smoke.js";

export default {
  async test(): Promise<void> {
    const simd = smoke();
    const forbidden = await forbiddenBytes();
    await init({ module: debugModule, build: "debug" });
    console.log(JSON.stringify({ simd, debug: smoke(), forbidden }));
  },
};
