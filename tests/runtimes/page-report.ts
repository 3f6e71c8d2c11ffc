/** Sends what a page found to the test, then goes to the page the test names next, if any. */
export async function report(content: unknown): Promise<void> {
  // A file:// page has no server: the test's address and the next page are in its own address, and "no-cors" lets it post
  // to another origin, whose answer it may not read.
  const parameters = new URLSearchParams(location.search);
  const address = `${parameters.get("report") ?? ""}/report`;
  const response = await fetch(address, { method: "POST", mode: "no-cors", body: JSON.stringify(content) });
  const next = parameters.get("next") ?? (await response.text());
  if (next !== "") location.href = next;
}

/** The result, or the error as text. */
export async function attempt(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return `${(error as { code?: string }).code ?? "no code"}: ${String(error)}`;
  }
}
