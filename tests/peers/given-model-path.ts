import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// GIVEN_MODELS names another folder.
const FOLDER = process.env.GIVEN_MODELS ?? fileURLToPath(new URL("../../../shared/models", import.meta.url));

/** Where somebody else's model is, and the reason where it is not there. */
export function givenModel(name: string): { readonly path: string; readonly missing: string | false } {
  const path = join(FOLDER, name);
  return { path, missing: existsSync(path) ? false : `no ../shared/models/${name} beside the project` };
}
