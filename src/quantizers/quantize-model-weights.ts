import { QuantError } from "../core/errors.js";
import { resolveAxis } from "../core/shape.js";
import type { QuantizedTensor, Tensor } from "../core/tensor.js";
import type { ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import type { QuantizableWeight } from "../formats/tfjs-model/quantizable.js";
import { storageForms, storedBytes } from "../formats/tfjs-model/quantized-artifacts.js";
import type { NaivePlan } from "./naive.js";
import { quantizeWeight } from "./quantize-weight.js";
import { quantizedReport, type Report, reportOf, type TensorReport, untouchedReport } from "./report.js";

/** One float weight of a model; its values are read when they are needed. */
export interface ModelWeight {
  readonly name: string;
  readonly read: () => Tensor;
}

/** Codes by weight name, and what became of every weight. */
export interface QuantizedWeights {
  readonly quantized: ReadonlyMap<string, QuantizedTensor>;
  readonly report: Report;
}

/**
 * Quantizes the weights of a tfjs model that a plan chooses. The report counts bytes as tfjs files store them.
 *
 * @param structure the model's topology
 * @param roles its quantizableWeights
 *
 * Errors: QuantError `invalid-model` when there is no weight to quantize, `non-finite` naming tensor and index.
 */
export function quantizeModelWeights(
  where: string,
  structure: ModelArtifacts,
  weights: readonly ModelWeight[],
  roles: readonly QuantizableWeight[],
  plan: NaivePlan,
): QuantizedWeights {
  if (roles.length === 0) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected a model with weights of rank ≥ 2, got none among ${weights.length} weights`,
    );
  }
  const byName = new Map(roles.map((role) => [role.name, role]));
  const quantized = new Map<string, QuantizedTensor>();
  const rows: TensorReport[] = [];
  for (const { name, read } of weights) {
    const before = read();
    const role = byName.get(name);
    const grid = role === undefined ? undefined : plan(role.layer);
    if (role === undefined || grid === undefined) {
      rows.push(untouchedReport(name, before));
      continue;
    }
    const place = `${where}: "${name}"`;
    const view = { data: before.data, shape: grid.axis === undefined ? role.viewShape : before.shape };
    const axis = grid.axis === undefined ? role.axis : resolveAxis(place, grid.axis, before.shape.length);
    const after = quantizeWeight(place, view, { ...grid, axis });
    quantized.set(name, after);
    rows.push({ ...quantizedReport(name, view, after), shape: before.shape });
  }
  const forms = storageForms(structure, roles, quantized);
  const stored = rows.map((row): TensorReport => {
    const [form, tensor] = [forms.get(row.name), quantized.get(row.name)];
    return form === undefined || tensor === undefined ? row : { ...row, bytesAfter: storedBytes(form, tensor) };
  });
  return { quantized, report: reportOf(stored) };
}
