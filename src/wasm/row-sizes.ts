/** Sizes of a kernel that works on the channels of the last axis. */
export interface RowSizes {
  /** All elements but those of the channels: batch · height · width. At least 1. */
  readonly rows: number;
  /** At least 1. */
  readonly channels: number;
}

/** Checks the sizes; throws RangeError. */
export function checkRowSizes(where: string, { rows, channels }: RowSizes): void {
  for (const [name, value] of Object.entries({ rows, channels })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${where}: expected an integer ${name} ≥ 1, got ${value}`);
    }
  }
}
