// For hosts that forbid compiling bytes.
import { init, QuantError } from "bitpress";

/** What happens to the eight bytes of the empty module, handed to the engine and to the library. */
export async function forbiddenBytes(): Promise<{ engine: string; library: string }> {
  const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  return {
    engine: await failure(() => new WebAssembly.Module(empty)),
    library: await failure(() => init({ module: empty })),
  };
}

async function failure(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return error instanceof QuantError ? `${error.code}: ${error.message}` : String(error);
  }
  return "no error";
}
