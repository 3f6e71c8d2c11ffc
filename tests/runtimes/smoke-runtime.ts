// The smoke checks of bitpress/runtime by itself.
import { backend, createSession } from "bitpress/runtime";
import { reportOf, type SmokeReport } from "./smoke-check.js";
import { checkSession } from "./smoke-session.js";

/** Runs the checks of sessions with the implementation that is loaded. */
export function smokeRuntime(): SmokeReport {
  return reportOf(backend, (check) => checkSession(check, createSession, "bitpress/runtime"));
}
