import type { TestEvent } from "node:test/reporters";

/**
 * Leaves out the tests that passed inside a suite or another test, for the spec reporter: what remains is a line per suite and
 * top-level test, and every failure and skip with the suites around it.
 */
export async function* withoutPassedDetails(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  // The reporter wants each result preceded by its start, so a start is held back until something inside it is shown.
  let held: TestEvent[] = [];
  for await (const event of events) {
    if (event.type === "test:start") {
      held.push(event);
      continue;
    }
    if (event.type === "test:pass" || event.type === "test:fail") {
      const { nesting, name, skip, todo } = event.data;
      const start = held.at(-1);
      const detail = event.type === "test:pass" && nesting > 0 && skip === undefined && todo === undefined;
      if (detail && start?.type === "test:start" && start.data.nesting === nesting && start.data.name === name) {
        held.pop();
        continue;
      }
      yield* held;
      held = [];
    }
    yield event;
  }
}
