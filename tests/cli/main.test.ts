import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import { bitpress, CLI, inFolder, MNIST } from "./command-line.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** A file whose table is longer than what a pipe holds. */
function manyTensors(): Uint8Array {
  return writeSafetensors(
    Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`layer${i}.bias`, { data: Float32Array.of(i), shape: [1] }]),
    ),
  );
}

test("--version is that of package.json", () => {
  assert.deepEqual(bitpress(here, "--version"), { status: 0, stdout: `${packageJson.version}\n`, stderr: "" });
});

for (const [args, usage, options] of [
  [["--help"], "Usage: bitpress <command> [options]", ["--version", "-h, --help"]],
  [["-h"], "Usage: bitpress <command> [options]", ["--version", "-h, --help"]],
  [
    ["quantize", "--help"],
    "Usage: bitpress quantize <model> [options]",
    ["--bits", "--granularity", "--layout", "-o, --output", "--force", "--json", "-h, --help"],
  ],
  [["inspect", "x", "-h"], "Usage: bitpress inspect <model> [options]", ["--json", "-h, --help"]],
] as const) {
  test(`${args.join(" ")}: the usage and every option, in lines of at most 120`, () => {
    const { status, stdout, stderr } = bitpress(here, ...args);
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = stdout.split("\n");
    assert.ok(lines.includes(usage), stdout);
    const listed = lines.flatMap((line) => /^ {2}((?:-\w, )?--\w+)/.exec(line)?.[1] ?? []);
    assert.deepEqual(listed, options);
    assert.deepEqual(
      lines.filter((line) => line.length > 120),
      [],
    );
  });
}

for (const [args, message] of [
  [[], "expected a command among quantize, inspect, got none"],
  [["inspct"], 'expected a command among inspect, quantize, got "inspct"'],
  [["toString"], 'expected a command among quantize, inspect, got "toString"'],
  [["--json", "inspect"], 'expected an option among --help, --version, got "--json"'],
  [["--", "inspect"], 'expected a command first, got "--"'],
] as const) {
  test(`${args.join(" ")}: ${message}`, () => {
    assert.deepEqual(bitpress(here, ...args), {
      status: 2,
      stdout: "",
      stderr: `bitpress: ${message}; see bitpress --help\n`,
    });
  });
}

test("a message is one line whatever the file holds", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "model.json"), "{\n\x1b[31m\n");
    const { status, stdout, stderr } = bitpress(folder, "inspect", "model.json");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^bitpress: tfjs model\.json: expected JSON, got \P{Cc}*\n$/u);
  }));

test("BITPRESS_DEBUG adds the stack", async () => {
  const child = spawn(process.execPath, [CLI, "inspect", "nothing"], {
    cwd: here,
    env: { ...process.env, BITPRESS_DEBUG: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  await once(child, "close");
  const [message, error, first] = stderr.split("\n");
  assert.equal(message, 'bitpress: expected a file at "nothing", got none');
  assert.match(error, /expected a file at "nothing", got none$/);
  assert.match(first, /^ {4}at /);
});

test("a reader that stops early is no failure", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "a.safetensors"), manyTensors());
    const child = spawn(process.execPath, [CLI, "inspect", "a.safetensors"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = await once(child, "close");
    assert.deepEqual([code, stderr], [0, ""]);
  }));

test("all of a long output goes through a pipe", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "a.safetensors"), manyTensors());
    const { status, stdout } = bitpress(folder, "inspect", "a.safetensors", "--json");
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).tensors.length, 2000);
  }));

test("nothing is printed on stderr where it is no terminal", () => {
  assert.equal(bitpress(here, "inspect", MNIST).stderr, "");
});
