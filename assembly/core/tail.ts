// The last n mod 4 floats of an array pass through 16 bytes of their own, so that one loop over vectors serves them, too.

/** Copies `rest` < 4 floats to the slot; zeros behind them. */
export function takeTail(slot: usize, from: usize, rest: usize): void {
  memory.fill(slot, 0, 16);
  for (let i: usize = 0; i < rest << 2; i += 4) store<f32>(slot + i, load<f32>(from + i));
}

/** Copies `rest` < 4 floats out of the slot. */
export function putTail(to: usize, slot: usize, rest: usize): void {
  for (let i: usize = 0; i < rest << 2; i += 4) store<f32>(to + i, load<f32>(slot + i));
}
