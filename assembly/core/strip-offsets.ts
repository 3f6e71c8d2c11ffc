/** Writes where the pixels of some rows lie, from the first one of the first row; returns the address behind, a multiple of 16. */
export function stripOffsets(at: usize, rows: i32, columns: i32, rowBytes: i32, pixelBytes: i32): usize {
  let row = 0;
  do {
    let offset = row;
    let left = columns;
    do {
      store<u32>(at, offset);
      at += 4;
      offset += pixelBytes;
    } while (--left > 0);
    row += rowBytes;
  } while (--rows > 0);
  return (at + 15) & ~15;
}
