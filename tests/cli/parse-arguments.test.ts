import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../../src/cli/parse-arguments.js";
import { UsageError } from "../../src/cli/usage-error.js";

const SPECS = {
  bits: { type: "string", choices: ["2", "4", "8"] },
  output: { type: "string", short: "o" },
  force: { type: "boolean" },
} as const;

const parse = (...args: string[]) => {
  const { values, positionals } = parseArguments(SPECS, args);
  return { values: { ...values }, positionals };
};

test("options in every spelling and place, the last of two wins", () => {
  assert.deepEqual(parse("a", "--bits", "4", "--force", "b", "-o", "out"), {
    values: { bits: "4", force: true, output: "out" },
    positionals: ["a", "b"],
  });
  assert.deepEqual(parse("--bits=2", "-oout", "--bits=8"), { values: { bits: "8", output: "out" }, positionals: [] });
  assert.deepEqual(parse("--output=-x"), { values: { output: "-x" }, positionals: [] });
  assert.deepEqual(parse("--force", "--", "--bits"), { values: { force: true }, positionals: ["--bits"] });
});

for (const [args, message] of [
  [["--bit", "4"], 'expected an option among --bits, --output, --force, got "--bit"'],
  [["-x"], 'expected an option among --bits, --force, --output, got "-x"'],
  [["--__proto__"], 'expected an option among --bits, --output, --force, got "--__proto__"'],
  [["--bits"], "expected a value after --bits, got none"],
  [["--bits", "--force"], 'expected a value after --bits, got "--force"'],
  [["-o", "-x"], 'expected a value after -o, got "-x"'],
  [["--bits", "3"], 'expected --bits as one of 2, 4, 8, got "3"'],
  [["--bits", "84"], 'expected --bits as one of 4, 8, 2, got "84"'],
  [["--bits="], 'expected --bits as one of 2, 4, 8, got ""'],
  [["--force=yes"], 'expected --force without a value, got "yes"'],
] as const) {
  test(`${args.join(" ")}: ${message}`, () => {
    assert.throws(
      () => parse(...args),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}
