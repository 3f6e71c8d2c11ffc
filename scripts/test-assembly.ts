// Runs the as-pect specs of tests/assembly without as-pect's bin (which exits 0 when its child dies of a signal), fails when
// no test ran, and closes with one plain line.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { asPectHooks } from "./as-pect-hooks.js";

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const compiler = pathOf("../node_modules/assemblyscript/dist/assemblyscript.js");
const hooks = asPectHooks(compiler, pathOf("../tests/assembly/as-pect.config.ts"));
const cli = pathOf("../node_modules/@as-pect/cli/lib/test.js");
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  ["--import", hooks, cli, "--config", "as-pect.config.ts", "--summary", ...process.argv.slice(2)],
  // as-pect finds its files and the compiler's only from its own folder.
  { cwd: pathOf("../tests/assembly"), encoding: "utf8", maxBuffer: 1 << 28 },
);
process.stdout.write(stdout);
process.stderr.write(stderr);
const match = /\[Tests\]: (\d+) \/ (\d+)/.exec(stripVTControlCharacters(stdout));
const [passed, total] = match === null ? [0, 0] : [Number(match[1]), Number(match[2])];
console.log(`as-pect: ${passed} passed, ${total - passed} failed`);
process.exit(status === 0 && total > 0 && passed === total ? 0 : status || 1);
