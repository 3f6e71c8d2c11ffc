import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type Consumer, makeConsumer } from "../packaging/consumer.js";
import { bundle } from "./bundle.js";
import { expectedReport, expectedRuntimeReport, skipUnless } from "./expected-report.js";
import { bunProgram, denoProgram, nodePrograms, type Program } from "./hosts.js";

interface Host {
  readonly name: string;
  readonly program: Program;
  /** Arguments before the script. */
  readonly args: readonly string[];
}

const hosts: Host[] = [
  ...nodePrograms().map((path) => ({
    name: `Node ${path === process.execPath ? process.version : path}`,
    program: { path },
    args: [],
  })),
  // No --allow flag: the package may read no file and fetch nothing.
  { name: "Deno without permissions", program: denoProgram(), args: ["run", "--no-prompt", "--cached-only"] },
  { name: "Bun", program: bunProgram(), args: ["run"] },
];

describe("hosts with a console resolve the package by themselves", () => {
  let consumer: Consumer;
  before(async () => {
    consumer = makeConsumer();
    for (const entry of ["console", "console-without-simd", "console-runtime"]) {
      writeFileSync(join(consumer.dir, `${entry}.js`), await bundle(`${entry}.ts`, "bare", consumer));
    }
  });
  after(() => consumer.remove());

  const run = async ({ program, args }: Host, script: string): Promise<unknown> => {
    assert.ok("path" in program);
    const { stdout } = await promisify(execFile)(program.path, [...args, script], {
      cwd: consumer.dir,
      timeout: 120_000,
      env: {
        PATH: process.env.PATH,
        HOME: consumer.dir,
        DENO_DIR: join(consumer.dir, "deno"),
        DENO_NO_UPDATE_CHECK: "1",
      },
    });
    return JSON.parse(stdout);
  };

  for (const host of hosts) {
    const skip = skipUnless(host.program);
    test(`${host.name}: SIMD`, { skip }, async () => {
      assert.deepEqual(await run(host, "console.js"), expectedReport("simd"));
    });
    test(`${host.name}: reference where WebAssembly has no SIMD`, { skip }, async () => {
      assert.deepEqual(await run(host, "console-without-simd.js"), expectedReport("reference"));
    });
    test(`${host.name}: bitpress/runtime by itself`, { skip }, async () => {
      assert.deepEqual(await run(host, "console-runtime.js"), expectedRuntimeReport("simd"));
    });
  }
});
