import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "./hosts.js";

/** A browser that runs, with a profile of its own. */
export interface RunningBrowser {
  /** The end of what it printed, for error messages. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/** Starts a browser without a window on one address. No driver: the page itself reports. */
export function startBrowser({ engine, program, env }: Browser, url: string): RunningBrowser {
  if ("missing" in program) throw new Error(`startBrowser: expected a program, got none: ${program.missing}`);
  const profile = mkdtempSync(join(tmpdir(), "bitpress-browser-"));
  if (engine === "firefox") writeFileSync(join(profile, "user.js"), firefoxPreferences());
  const [command, args] = commandLine(engine, program.path, profile, url);
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a process group of its own, so that stop() ends all of the browser's processes
    env: {
      ...process.env,
      HOME: profile,
      // WebKit's sandbox needs user namespaces, which containers lack; the pages are this repository's own.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
      LIBGL_ALWAYS_SOFTWARE: "1",
      ...env,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-2000);
    });
  }
  child.on("error", (error) => {
    output += String(error);
  });
  return {
    output: () => output,
    async stop() {
      await killGroup(child);
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function commandLine(engine: Browser["engine"], path: string, profile: string, url: string): [string, string[]] {
  if (engine === "firefox") return [path, ["--headless", "--no-remote", "--new-instance", "--profile", profile, url]];
  if (engine === "webkit") return ["xvfb-run", ["-a", path, "--private", url]];
  return [
    path,
    [
      "--headless",
      "--no-sandbox",
      "--use-angle=swiftshader", // WebGL in software
      "--enable-unsafe-swiftshader",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--user-data-dir=${profile}`,
      url,
    ],
  ];
}

/** No first-run pages, and no traffic but the page's own. */
function firefoxPreferences(): string {
  const preferences = {
    "browser.shell.checkDefaultBrowser": false,
    "browser.aboutwelcome.enabled": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "toolkit.telemetry.enabled": false,
    "app.update.enabled": false,
    "extensions.update.enabled": false,
    "browser.safebrowsing.malware.enabled": false,
    "browser.safebrowsing.phishing.enabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "services.settings.server": "http://127.0.0.1:9/",
  };
  return Object.entries(preferences)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
    .join("\n");
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    return; // it has ended by itself
  }
  // The children of a killed group may write to the profile a moment longer.
  await delay(300);
}
