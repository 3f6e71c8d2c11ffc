import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type Consumer, makeConsumer, root } from "./consumer.js";

const require = createRequire(import.meta.url);

let consumer: Consumer;
before(() => {
  consumer = makeConsumer();
});
after(() => consumer.remove());

/** Runs a tool of node_modules; returns its exit code and all it printed. */
function runTool(name: string, file: string, args: readonly string[]): { status: number | null; output: string } {
  const path = join(dirname(require.resolve(`${name}/package.json`)), file);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { cwd: root, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("the archive holds dist, the notices and what npm always adds, nothing else", () => {
  assert.deepEqual(readdirSync(consumer.packageDir).sort(), [
    "LICENSE",
    "README.md",
    "THIRD-PARTY-NOTICES.md",
    "dist",
    "package.json",
  ]);
  assert.deepEqual(
    readdirSync(join(consumer.packageDir, "dist"), { recursive: true, encoding: "utf8" }).sort(),
    readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).sort(),
  );
});

test("the notices name every package whose code is in dist", () => {
  const notices = readFileSync(join(root, "THIRD-PARTY-NOTICES.md"), "utf8");
  const maps = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".js.map"),
  );
  const bundled = maps.flatMap((file) => {
    const { sources } = JSON.parse(readFileSync(join(root, "dist", file), "utf8")) as { sources: string[] };
    return sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  });
  const names = [...new Set(bundled)].sort();
  assert.deepEqual(names, ["@assemblyscript/loader", "flatbuffers"]);
  assert.deepEqual(
    names.filter((name) => !notices.includes(`\`${name}\``)),
    [],
  );
});

test("publint finds nothing", async () => {
  const { publint } = await import("publint");
  const { messages } = await publint({ pkgDir: consumer.packageDir, strict: true });
  assert.deepEqual(messages, []);
});

test("attw: the types resolve wherever ES modules do", () => {
  const { status, output } = runTool("@arethetypeswrong/cli", "dist/index.js", [
    consumer.tarball,
    "--profile",
    "esm-only",
  ]);
  assert.equal(status, 0, output);
});

test("prepare without devDependencies says so in one line and succeeds", () => {
  const dir = mkdtempSync(join(tmpdir(), "bitpress-prepare-"));
  try {
    cpSync(join(root, "package.json"), join(dir, "package.json"));
    const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", "prepare"], { cwd: dir, encoding: "utf8" });
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 0, stdout: "", stderr: "build skipped: devDependencies are not installed\n" },
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});
