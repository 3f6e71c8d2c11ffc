import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A project of its own, outside the repository, that has installed the package as the registry would hand it out. */
export interface Consumer {
  readonly dir: string;
  /** The packed archive. */
  readonly tarball: string;
  /** The package inside the project: `dir/node_modules/bitpress`. */
  readonly packageDir: string;
  remove(): void;
}

/** Packs what is in dist and unpacks it into a fresh temporary project. */
export function makeConsumer(): Consumer {
  const dir = mkdtempSync(join(tmpdir(), "bitpress-consumer-"));
  const packageDir = join(dir, "node_modules", "bitpress");
  mkdirSync(packageDir, { recursive: true });
  // --ignore-scripts: `prepare` would build dist anew, under the feet of the tests that run beside this one.
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", dir], {
    cwd: root,
    stdio: "pipe",
  });
  const name = readdirSync(dir).find((file) => file.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack: expected an archive, got none");
  const tarball = join(dir, name);
  execFileSync("tar", ["-xzf", tarball, "-C", packageDir, "--strip-components=1"]);
  writeFileSync(
    join(dir, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module", dependencies: { bitpress: "*" } }),
  );
  return { dir, tarball, packageDir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
