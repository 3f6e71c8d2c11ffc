import { QuantError } from "../core/errors.js";
import {
  type BinaryExports,
  type Build,
  defaultKernels,
  fetchModule,
  type KernelEntry,
  kernelsOf,
  simdKernels,
  startModule,
} from "./instance.js";

/** Options of init. */
export interface InitOptions {
  /** A compiled WebAssembly.Module (also of another realm), or the bytes of one of the package's .wasm files. */
  readonly module?: object;
  /** Address of one of the package's .wasm files, to be fetched and compiled while it streams in. */
  readonly url?: string | { readonly href: string };
  /** The build that is expected; `reference` needs no WebAssembly. */
  readonly build?: Build;
}

const BUILDS: readonly Build[] = ["simd", "relaxed", "debug", "reference"];

/**
 * init over some binaries; the first of them is the one that its messages name.
 *
 * A module or url replaces the kernels of the binary that it is a build of; else all of them are chosen.
 */
export async function initEntries(
  entries: readonly KernelEntry<BinaryExports>[],
  { module, url, build }: InitOptions,
): Promise<void> {
  if (build !== undefined && !BUILDS.includes(build)) {
    throw new RangeError(`init: expected build to be one of ${BUILDS.join(", ")}, got ${String(build)}`);
  }
  if (module !== undefined && url !== undefined) throw new TypeError("init: expected module or url, got both");
  if (build === "reference") {
    for (const entry of entries) entry.current = "reference";
  } else if (module !== undefined || url !== undefined) {
    const source = url === undefined ? module : await fetchModule(typeof url === "string" ? url : url.href);
    const { entry, kernels } = startModule(entries, source as object, build);
    entry.current = kernels;
  } else if (build === "debug" || build === "relaxed") {
    throw new QuantError(
      "unsupported",
      build === "debug"
        ? `init: the debug build is not carried inline; pass { module } or { url } of "bitpress/wasm/${entries[0].name}.debug.wasm"`
        : "init: this version has no relaxed build, because no kernel profits from it yet; leave build out",
      { build },
    );
  } else {
    const chosen = entries.map((entry) => (build === "simd" ? simdKernels(entry) : defaultKernels(entry)));
    for (const [i, entry] of entries.entries()) entry.current = chosen[i];
  }
}

/** The implementation at work, of one binary. */
export function backendOf(entry: KernelEntry<BinaryExports>): Build {
  return kernelsOf(entry)?.build ?? "reference";
}
