import type { FileOperator } from "./file-model.js";
import { Op } from "./schema.js";

/** The first TensorFlow Lite with int8 kernels. */
const OLDEST = "1.14.0";

/** Versions of operators that came after it. Source: runtime_version.cc of TensorFlow Lite's converter. */
const NEWER: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [Op.conv2d]: { 7: "2.11.0" },
  [Op.depthwiseConv2d]: { 7: "2.11.0" },
  [Op.fullyConnected]: { 5: "2.0.0", 10: "2.11.0" },
  [Op.sub]: { 3: "2.3.0" },
  [Op.mul]: { 3: "1.15.0" },
  [Op.pad]: { 4: "2.6.0" },
  [Op.transpose]: { 4: "2.3.0", 6: "2.12.0", 8: "2.22.0" },
  [Op.stridedSlice]: { 4: "2.2.0" },
  [Op.resizeBilinear]: { 3: "2.2.0" },
  [Op.resizeNearest]: { 3: "2.3.0" },
  [Op.relu]: { 2: "2.1.0" },
  [Op.maximum]: { 3: "2.3.0" },
  [Op.hardSwish]: { 1: "1.15.0" },
};

/** The oldest version of TensorFlow Lite that runs all the operators. */
export function runtimeVersion(operators: readonly FileOperator[]): string {
  return operators
    .map(({ code, version }) => NEWER[code]?.[version] ?? OLDEST)
    .reduce((newest, other) => (rankOf(other) > rankOf(newest) ? other : newest), OLDEST);
}

function rankOf(version: string): number {
  return version.split(".").reduce((rank, part) => rank * 1000 + Number(part), 0);
}
