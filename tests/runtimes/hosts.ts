import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root } from "../packaging/consumer.js";

// Where the hosts' programs are. Those from npm are looked up in the package for this platform, beside the one that is a
// devDependency: newer npm does not run install scripts unasked. Older npm runs them, and bun's moves the program away.

const require = createRequire(import.meta.url);

/** A host's program, or why it is not there. */
export type Program = { readonly path: string } | { readonly missing: string };

/** The Node.js programs to test: the running one, and those listed in SMOKE_NODES (separated by colons). */
export function nodePrograms(): string[] {
  return [process.execPath, ...(process.env.SMOKE_NODES ?? "").split(":").filter((path) => path !== "")];
}

export function denoProgram(): Program {
  const platform = `${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
  return platformProgram("deno/package.json", `@deno/${platform}`, "deno", "deno");
}

export function bunProgram(): Program {
  const platform = `${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}`;
  return platformProgram("bun/package.json", `@oven/bun-${platform}`, "bin/bun", "bin/bun.exe");
}

export function workerdProgram(): Program {
  try {
    return { path: require("workerd").default };
  } catch (error) {
    return { missing: String(error) };
  }
}

/** The program in the package for this platform, or where the owner's install script has put it. */
function platformProgram(owner: string, name: string, file: string, installed: string): Program {
  const ownerPath = require.resolve(owner);
  try {
    const path = join(dirname(createRequire(ownerPath).resolve(`${name}/package.json`)), file);
    return { path: existsSync(path) ? path : join(dirname(ownerPath), installed) };
  } catch {
    return { missing: `npm has installed no ${name}` };
  }
}

/** A browser and how to start it on one page. */
export interface Browser {
  readonly name: string;
  readonly program: Program;
  readonly engine: "chromium" | "firefox" | "webkit";
  readonly env?: Readonly<Record<string, string>>;
}

/** The Chromium that npm installs, with the libraries it brings along: nothing is needed from the system but libc. */
export async function npmChromium(): Promise<Browser> {
  const name = "Chromium from npm";
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      name,
      engine: "chromium",
      program: { missing: "@sparticuz/chromium holds a program for Linux on x64 only" },
    };
  }
  const folder = await unpackChromium();
  return {
    name,
    engine: "chromium",
    program: { path: join(folder, "chromium") },
    env: { LD_LIBRARY_PATH: join(folder, "al2023", "lib"), FONTCONFIG_PATH: join(folder, "fonts") },
  };
}

/** Browsers that the system's packages provide. */
export function systemBrowsers(): Browser[] {
  return [
    { name: "Chromium of the system", engine: "chromium", program: inPath("chromium") },
    { name: "Firefox", engine: "firefox", program: inPath("firefox-esr", "firefox") },
    { name: "WebKitGTK", engine: "webkit", program: webkit() },
  ];
}

function inPath(...names: string[]): Program {
  const folders = (process.env.PATH ?? "").split(":");
  const path = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  return path === undefined ? { missing: `no ${names[0]} in PATH` } : { path };
}

function webkit(): Program {
  const xvfb = inPath("xvfb-run");
  if ("missing" in xvfb) return xvfb;
  const path = ["/usr/lib", "/usr/libexec"]
    .filter(existsSync)
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    .flatMap((folder) => ["4.1", "6.0", "4.0"].map((version) => join(folder, `webkit2gtk-${version}`, "MiniBrowser")))
    .find(existsSync);
  return path === undefined ? { missing: "no WebKitGTK MiniBrowser in /usr/lib" } : { path };
}

/** Unpacks the archives of @sparticuz/chromium once; they are kept with the installed packages. */
async function unpackChromium(): Promise<string> {
  const { default: chromium, inflate } = await import("@sparticuz/chromium");
  const home = dirname(dirname(require.resolve("@sparticuz/chromium")));
  const cache = join(root, "node_modules/.cache/bitpress");
  const folder = join(cache, `chromium-${require(join(home, "package.json")).version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const unpacked = mkdtempSync(join(cache, "unpacking-"));
  const { TMPDIR } = process.env;
  try {
    // The package unpacks to the system's folder for temporary files, under names without a version.
    process.env.TMPDIR = unpacked;
    await chromium.executablePath();
    await inflate(join(home, "bin/al2023.tar.br"));
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
  try {
    renameSync(unpacked, folder);
  } catch {
    rmSync(unpacked, { recursive: true }); // another process was first
  }
  return folder;
}
