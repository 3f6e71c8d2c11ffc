import { Arena } from "./memory.js";

// The one linear memory of the library, whatever is loaded into it: tensors of a session and of the functions on arrays share
// an arena. Its first bytes are the binaries' blocks of constants, one slot each; a second init of a binary fills its slot anew.

/** Most that a block of constants takes, in any build. */
export const CONSTANTS_BYTES = 64;
/** Where the binaries' blocks of constants lie. */
export const CONSTANTS_PTR = { train: 16, infer: 16 + CONSTANTS_BYTES } as const;
/** First byte of the arena. */
export const ARENA_START = CONSTANTS_PTR.infer + CONSTANTS_BYTES;

// Constants, 64 KiB blocks in and out, and channel tables fit without growing.
const INITIAL_PAGES = 16;

let library: { readonly memory: object; readonly arena: Arena } | undefined;

/** The library's memory, a WebAssembly.Memory, and the arena over it; made when first asked for. */
export function libraryMemory(): { readonly memory: object; readonly arena: Arena } {
  if (library === undefined) {
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
    library = { memory, arena: new Arena(memory, ARENA_START) };
  }
  return library;
}
