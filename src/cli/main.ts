import { HELP } from "./help.js";
import { inspectCommand } from "./inspect-command.js";
import { nearestFirst } from "./nearest-first.js";
import { parseArguments } from "./parse-arguments.js";
import { printable } from "./printable.js";
import { quantizeCommand } from "./quantize-command.js";
import { UsageError } from "./usage-error.js";
import { version } from "./version.js";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  quantize: quantizeCommand,
  inspect: inspectCommand,
};

/**
 * Runs the command line `args`: prints what the command returns, or one line on stderr.
 *
 * @returns exit code: 0 done, 1 the work failed, 2 the command line is wrong
 */
export async function main(args: readonly string[]): Promise<number> {
  // Whoever reads may stop before the end, as `| head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    process.stdout.write(await run(args));
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError;
    const message = printable(error instanceof Error ? error.message : String(error));
    process.stderr.write(`bitpress: ${message}${usage ? `; see bitpress ${helpOf(args)}` : ""}\n`);
    if (process.env.BITPRESS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return usage ? 2 : 1;
  }
}

async function run([name, ...rest]: readonly string[]): Promise<string> {
  const names = Object.keys(COMMANDS);
  if (name === undefined) throw new UsageError(`expected a command among ${names.join(", ")}, got none`);
  if (name.startsWith("-")) return runWithoutCommand([name, ...rest]);
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`expected a command among ${nearestFirst(name, names).join(", ")}, got "${name}"`);
  }
  return COMMANDS[name](rest);
}

function runWithoutCommand(args: readonly string[]): string {
  const specs = { help: { type: "boolean", short: "h" }, version: { type: "boolean" } } as const;
  const { values } = parseArguments(specs, args);
  if (values.help) return HELP;
  if (values.version) return `${version}\n`;
  throw new UsageError(`expected a command first, got "${args[0]}"`);
}

function helpOf([name]: readonly string[]): string {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} --help` : "--help";
}
