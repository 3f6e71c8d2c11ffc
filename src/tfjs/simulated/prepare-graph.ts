import { foldBatchNorm } from "../../graph/passes/fold-batch-norm.js";
import { fuseActivation } from "../../graph/passes/fuse-activation.js";
import { removeIdentity } from "../../graph/passes/remove-identity.js";
import { sinkReshape } from "../../graph/passes/sink-reshape.js";
import type { Graph } from "../../graph/types.js";

/** The passes before quantizers are placed: nodes that do nothing go, batch norms and activations move into what they follow. */
export function prepareGraph(graph: Graph): Graph {
  return fuseActivation(foldBatchNorm(simplifyGraph(graph)));
}

/** The first of them alone: nodes that do nothing go. */
export function simplifyGraph(graph: Graph): Graph {
  return removeIdentity(sinkReshape(removeIdentity(graph)));
}
