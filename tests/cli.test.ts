import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bitpress, CLI, inFolder, MNIST, pathsIn } from "./cli/command-line.js";
import { makeConsumer, root } from "./packaging/consumer.js";
import { skipUnless } from "./runtimes/expected-report.js";
import { bunProgram, denoProgram } from "./runtimes/hosts.js";

const noModes = process.platform === "win32" && "Windows has no file modes";
test("dist/cli.js begins with its shebang and may be executed", { skip: noModes }, () => {
  assert.ok(readFileSync(CLI, "utf8").startsWith("#!/usr/bin/env node\n"));
  assert.equal(statSync(CLI).mode & 0o111, 0o111);
});

test("npx runs it from the packed archive", () => {
  const consumer = makeConsumer();
  try {
    const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", consumer.tarball], {
      cwd: consumer.dir,
      stdio: "pipe",
    });
    const npx = (...args: string[]): string =>
      execFileSync("npx", ["--offline", "--no-install", name, ...args], { cwd: consumer.dir, encoding: "utf8" });
    assert.equal(npx("--version"), `${version}\n`);
    npx("quantize", MNIST, "-o", "small");
    assert.deepEqual(pathsIn(join(consumer.dir, "small")), ["group1-shard1of1.bin", "model.json"]);
  } finally {
    consumer.remove();
  }
});

for (const { name, program, args } of [
  { name: "Deno", program: denoProgram(), args: ["run", "-A", "--no-prompt", "--cached-only"] },
  { name: "Bun", program: bunProgram(), args: ["run"] },
]) {
  test(`${name}: the same output and exit codes as Node`, { skip: skipUnless(program) }, () =>
    inFolder((folder) => {
      assert.ok("path" in program);
      const run = (...rest: string[]) => {
        const { status, stdout, stderr } = spawnSync(program.path, [...args, CLI, ...rest], {
          cwd: folder,
          encoding: "utf8",
          env: { ...process.env, DENO_DIR: join(folder, ".deno"), DENO_NO_UPDATE_CHECK: "1" },
        });
        return { status, stdout, stderr };
      };
      const node = bitpress(folder, "quantize", MNIST, "-o", "small");
      assert.deepEqual(run("quantize", MNIST, "-o", "small", "--force"), node);
      assert.deepEqual(run("inspect", "small"), bitpress(folder, "inspect", "small"));
      assert.deepEqual(run("inspect", "nothing"), bitpress(folder, "inspect", "nothing"));
      assert.deepEqual(run("quantise"), bitpress(folder, "quantise"));
    }),
  );
}
