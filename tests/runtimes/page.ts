// Entry for pages that load the package as an ES module.
import { init } from "bitpress";
import { attempt, report } from "./page-report.js";
import { smoke } from "./smoke.js";

/** Whether init({ url }) compiled the file while it streamed in, and what the checks found then. */
async function streamed(url: string): Promise<unknown> {
  const { compileStreaming } = WebAssembly;
  let streaming = false;
  WebAssembly.compileStreaming = async (response) => {
    const module = await compileStreaming(response);
    streaming = true;
    return module;
  };
  try {
    await init({ url, build: "simd" });
  } finally {
    WebAssembly.compileStreaming = compileStreaming;
  }
  return { streaming, smoke: smoke() };
}

await report({
  inline: await attempt(smoke),
  url: await attempt(() => streamed("/bitpress/wasm/train.simd.wasm")),
  wrongType: await attempt(() => streamed("/bitpress/wasm/train.simd.wasm?type=text/plain")),
});
