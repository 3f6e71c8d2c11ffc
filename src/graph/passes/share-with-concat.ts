import { handsCodesThrough } from "../keeps-parameters.js";
import { readersOf, soleReader } from "../readers.js";
import type { EdgeQuantizer, Graph, GraphNode } from "../types.js";

/**
 * Gives producers that only a concat reads (through ops that hand codes through) the concat's parameters, so that the integer
 * concat copies codes. A concat that only another concat reads takes that one's.
 *
 * What several nodes read, what leaves or enters the graph, fixed parameters, and producers on another grid keep their
 * own: there a requantize is needed.
 */
export function shareWithConcat(graph: Graph, quantizers: Map<string, EdgeQuantizer>): void {
  const readers = readersOf(graph);
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  for (const concat of [...graph.nodes].reverse()) {
    const quantizer = concat.op === "concat" ? quantizers.get(concat.outputs[0]) : undefined;
    if (quantizer === undefined) continue;
    const root = "like" in quantizer ? quantizer.like : concat.outputs[0];
    for (const input of concat.inputs) {
      const owner = ownerReadOnlyBy(concat, input);
      if (owner === undefined || !sameGrid(quantizers.get(owner), quantizers.get(root))) continue;
      for (const [value, { like }] of likeEntries(quantizers))
        if (like === owner) quantizers.set(value, { like: root });
      quantizers.set(owner, { like: root });
    }
  }

  /** The value whose parameters reach `value`, if each step on the way has one reader only. */
  function ownerReadOnlyBy(reader: GraphNode, value: string): string | undefined {
    const producer = producers.get(value);
    if (producer === undefined || soleReader(graph, readers, value) !== reader) return undefined;
    const quantizer = quantizers.get(value);
    if (quantizer === undefined) return undefined;
    if (!("like" in quantizer)) return value;
    return handsCodesThrough(producer) ? ownerReadOnlyBy(producer, producer.inputs[0]) : undefined;
  }
}

function likeEntries(quantizers: ReadonlyMap<string, EdgeQuantizer>) {
  return [...quantizers].flatMap(([value, quantizer]) => ("like" in quantizer ? [[value, quantizer] as const] : []));
}

/** Whether both have a range of their own to observe, on the same grid and from the same step. */
function sameGrid(a: EdgeQuantizer | undefined, b: EdgeQuantizer | undefined): boolean {
  if (a === undefined || b === undefined || !("symmetric" in a) || !("symmetric" in b)) return false;
  const { bits, signed, symmetric, quantStartStep } = a;
  return bits === b.bits && signed === b.signed && symmetric === b.symmetric && quantStartStep === b.quantStartStep;
}
