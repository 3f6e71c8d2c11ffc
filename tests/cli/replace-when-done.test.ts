import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { replaceWhenDone } from "../../src/cli/replace-when-done.js";
import { QuantError } from "../../src/core/errors.js";
import { inFolder, pathsIn } from "./command-line.js";

/** Runs replaceWhenDone with a writer of one small file. */
async function put(path: string, kind: "file" | "folder", force: boolean): Promise<void> {
  await replaceWhenDone(path, kind, force, async (partial) => {
    writeFileSync(kind === "file" ? partial : join(partial, "model.json"), "new");
  });
}

test("what is written is beside the output until it is whole, and then at its place", () =>
  inFolder(async (folder) => {
    const path = join(folder, "out");
    const result = await replaceWhenDone(path, "folder", false, async (partial) => {
      assert.equal(dirname(partial), folder);
      assert.match(partial, /out\.[0-9a-f]{8}\.partial$/);
      assert.ok(!existsSync(path));
      writeFileSync(join(partial, "a.bin"), "a");
      return 7;
    });
    assert.equal(result, 7);
    assert.deepEqual(pathsIn(folder), ["out", "out/a.bin"]);
  }));

test("a path that ends in a separator", () =>
  inFolder(async (folder) => {
    await put(`${join(folder, "out")}/`, "folder", false);
    assert.deepEqual(pathsIn(folder), ["out", "out/model.json"]);
  }));

for (const kind of ["file", "folder"] as const) {
  test(`a ${kind} whose writer fails is removed, and what was there before stays`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "out");
      await put(path, kind, false);
      const listeners = process.listenerCount("SIGINT");
      const before = pathsIn(folder);
      await assert.rejects(
        replaceWhenDone(path, kind, true, async (partial) => {
          writeFileSync(kind === "file" ? partial : join(partial, "model.json"), "half");
          throw new Error("disk on fire");
        }),
        { message: "disk on fire" },
      );
      assert.deepEqual(pathsIn(folder), before);
      assert.equal(readFileSync(kind === "file" ? path : join(path, "model.json"), "utf8"), "new");
      assert.equal(process.listenerCount("SIGINT"), listeners);
    }));

  test(`a ${kind} is replaced with force only`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "out");
      const file = kind === "file" ? path : join(path, "model.json");
      if (kind === "folder") mkdirSync(path);
      writeFileSync(file, "old");
      if (kind === "folder") writeFileSync(join(path, "group1-shard1of1.bin"), "old");
      await assert.rejects(put(path, kind, false), {
        name: "QuantError",
        message: `expected nothing at "${path}" yet, got a ${kind}; pass --force to replace it`,
      });
      assert.equal(readFileSync(file, "utf8"), "old");
      await put(path, kind, true);
      assert.equal(readFileSync(file, "utf8"), "new");
      assert.deepEqual(pathsIn(folder), kind === "file" ? ["out"] : ["out", "out/model.json"]);
    }));

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const skip = process.platform === "win32" && "Windows has no signals";
    test(`${signal} removes half a ${kind} and ends the process by the same signal`, { skip }, () =>
      inFolder(async (folder) => {
        const path = join(folder, "out");
        await put(path, kind, false);
        const before = pathsIn(folder);
        const script = fileURLToPath(new URL("never-finishes.ts", import.meta.url));
        const child = spawn(process.execPath, ["--import", "tsx", script, path, kind], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        await once(child.stdout, "data");
        assert.equal(pathsIn(folder).length, kind === "file" ? 2 : 4, "the half is there");
        child.kill(signal);
        assert.deepEqual(await once(child, "exit"), [null, signal]);
        assert.deepEqual(pathsIn(folder), before);
      }),
    );
  }
}

test("something that appears while the output is written is not replaced", () =>
  inFolder(async (folder) => {
    const path = join(folder, "out");
    await assert.rejects(
      replaceWhenDone(path, "file", false, async () => writeFileSync(path, "theirs")),
      { message: `expected nothing at "${path}" yet, got a file; pass --force to replace it` },
    );
    assert.deepEqual(pathsIn(folder), ["out"]);
    assert.equal(readFileSync(path, "utf8"), "theirs");
  }));

test("force replaces a folder only when it holds a tfjs model and nothing else", () =>
  inFolder(async (folder) => {
    const path = join(folder, "out");
    mkdirSync(path);
    writeFileSync(join(path, "model.json"), "");
    writeFileSync(join(path, "thesis.tex"), "");
    await assert.rejects(put(path, "folder", true), {
      message: `expected only a tfjs model to replace at "${path}", got "thesis.tex"; remove it, or choose another output`,
    });
    assert.deepEqual(pathsIn(folder), ["out", "out/model.json", "out/thesis.tex"]);
  }));

test("a link is replaced, not what it points to", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "target"), "old");
    symlinkSync("target", join(folder, "out"));
    await put(join(folder, "out"), "file", true);
    assert.equal(readFileSync(join(folder, "target"), "utf8"), "old");
    assert.equal(readFileSync(join(folder, "out"), "utf8"), "new");
  }));

test("an output of another kind, or in a folder that is not there", () =>
  inFolder(async (folder) => {
    const path = join(folder, "out");
    mkdirSync(path);
    await assert.rejects(put(path, "file", true), {
      message: `expected a file to write at "${path}", got a folder`,
    });
    const file = join(folder, "f");
    writeFileSync(file, "");
    await assert.rejects(put(file, "folder", true), {
      message: `expected a folder to write at "${file}", got a file`,
    });
    await assert.rejects(put(join(folder, "no", "out"), "file", false), (error) => {
      assert.ok(error instanceof QuantError);
      assert.equal(error.message, `expected a folder "${join(folder, "no")}", got none`);
      return true;
    });
    assert.deepEqual(pathsIn(folder), ["f", "out"]);
  }));
