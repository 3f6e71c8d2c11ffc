import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProgressStream, startProgress } from "../../src/cli/progress.js";

/** A terminal that keeps what it is told, and a clock that is set by hand. */
function fake(options: Omit<ProgressStream, "write">) {
  const written: string[] = [];
  const clock = { now: 1000 };
  const stream = { ...options, write: (text: string) => written.push(text) };
  return { written, clock, progress: startProgress(stream, () => clock.now) };
}

test("nothing in the first half second, then a line at most every tenth, wiped at the end", () => {
  const { written, clock, progress } = fake({ isTTY: true, columns: 40 });
  for (const [now, done] of [
    [1000, 0],
    [1499, 1],
    [1500, 2],
    [1599, 3],
    [1600, 4],
  ]) {
    clock.now = now;
    progress.update({ name: `layer${done}`, done, total: 7 });
  }
  progress.end();
  progress.end();
  assert.deepEqual(written, ["\r\x1b[K 28 %  layer2", "\r\x1b[K 57 %  layer4", "\r\x1b[K"]);
});

test("short work shows nothing and wipes nothing", () => {
  const { written, progress } = fake({ isTTY: true });
  progress.update({ name: "a", done: 1, total: 1 });
  progress.end();
  assert.deepEqual(written, []);
});

test("a line fits the terminal, 80 columns where it does not say, and holds no control characters", () => {
  for (const [columns, length] of [
    [20, 19],
    [0, 79],
  ]) {
    const { written, clock, progress } = fake({ isTTY: true, columns });
    clock.now = 2000;
    progress.update({ name: `\x1b]0;title\x07${"x".repeat(100)}`, done: 0, total: 0 });
    assert.equal(written[0], `\r\x1b[K${`  0 %  \\u{1b}]0;title\\u{7}${"x".repeat(100)}`.slice(0, length)}`);
  }
});

test("silent where it is no terminal", () => {
  const { written, clock, progress } = fake({});
  clock.now = 10_000;
  progress.update({ name: "a", done: 1, total: 2 });
  progress.end();
  assert.deepEqual(written, []);
});
