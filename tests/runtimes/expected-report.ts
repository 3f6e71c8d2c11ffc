import type { Program } from "./hosts.js";
import type { SmokeReport } from "./smoke.js";

/** What every host must report: all checks made, none wrong. */
export function expectedReport(backend: string): SmokeReport {
  return { backend, checks: 50, wrong: [] };
}

/** The same of bitpress/runtime by itself. */
export function expectedRuntimeReport(backend: string): SmokeReport {
  return { backend, checks: 5, wrong: [] };
}

/** The reason to skip a host that is not here; none, so that its test fails, where REQUIRE_HOSTS asks for all of them. */
export function skipUnless(program: Program): string | false {
  return "missing" in program && process.env.REQUIRE_HOSTS === undefined ? program.missing : false;
}
