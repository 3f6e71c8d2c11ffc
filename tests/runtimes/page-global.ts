// Entry for pages that load the script-tag bundle, from a server or as a file.
import { attempt, report } from "./page-report.js";
import { smoke } from "./smoke.js";

attempt(smoke).then(report);
