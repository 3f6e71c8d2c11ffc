import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** A page or script made for the test. */
export interface Resource {
  readonly body: string | Uint8Array;
  readonly csp?: string;
  /** Cross-origin isolated: the page may share memory between threads. */
  readonly isolated?: boolean;
}

/** A local web site that pages report to. */
export interface Site {
  readonly origin: string;
  /** The reports of as many pages, in the order they come in; each page is sent on to the next path. */
  collect(paths: readonly string[], timeoutMs: number): Promise<unknown[]>;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves the resources, and the package's dist under /bitpress/; `?type=` overrides a file's MIME type. */
export async function openSite(resources: Readonly<Record<string, Resource>>, dist: string): Promise<Site> {
  let onReport: (report: unknown) => string = () => "";

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.end(onReport(JSON.parse(Buffer.concat(chunks).toString())));
      return;
    }
    const type = url.searchParams.get("type") ?? TYPES[extname(url.pathname)] ?? "application/octet-stream";
    const headers: Record<string, string> = { "content-type": type };
    const resource = resources[url.pathname];
    if (resource?.csp !== undefined) headers["content-security-policy"] = resource.csp;
    if (resource?.isolated) {
      headers["cross-origin-opener-policy"] = "same-origin";
      headers["cross-origin-embedder-policy"] = "require-corp";
    }
    const body = resource?.body ?? (await packageFile(dist, url.pathname));
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, headers).end(body);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    collect: (paths, timeoutMs) =>
      new Promise((resolve, reject) => {
        const reports: unknown[] = [];
        const timer = setTimeout(
          () => reject(new Error(`expected a report from ${paths[reports.length]}, got none in ${timeoutMs} ms`)),
          timeoutMs,
        );
        onReport = (report) => {
          reports.push(report);
          if (reports.length < paths.length) return paths[reports.length];
          clearTimeout(timer);
          resolve(reports);
          return "";
        };
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function packageFile(dist: string, path: string): Promise<Buffer | undefined> {
  if (!path.startsWith("/bitpress/")) return undefined;
  try {
    return await readFile(join(dist, normalize(path.slice("/bitpress".length))));
  } catch {
    return undefined;
  }
}
