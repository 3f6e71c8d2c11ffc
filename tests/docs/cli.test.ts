import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bitpress, inFolder, MNIST } from "../cli/command-line.js";

const text = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Commands of the console blocks, each with the lines that follow it; a line "…" stands for any lines. */
const runs = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
  block
    .split(/^\$ bitpress /m)
    .slice(1)
    .map((run) => {
      const [command, ...output] = run.split("\n");
      return { args: command.split(" "), output: output.join("\n") };
    }),
);

test("every command in docs/cli.md prints what stands below it", () =>
  inFolder((folder) => {
    cpSync(MNIST, join(folder, "mnist-cnn"), { recursive: true });
    assert.equal(runs.length, 5);
    for (const { args, output } of runs) {
      const { stdout, stderr } = bitpress(folder, ...args);
      const [head, tail] = output.split("…\n");
      const printed = stdout + stderr;
      if (tail === undefined) assert.equal(printed, head);
      else assert.equal(printed.slice(0, head.length) + printed.slice(printed.length - tail.length), head + tail);
    }
  }));
