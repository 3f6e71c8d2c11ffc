/** Copies n > 0 neighbouring bytes: for runs that are too short for a call of memory.copy. The two do not overlap. */
// @ts-ignore: decorator
@inline export function copyRun(to: usize, from: usize, n: usize): void {
  if (n >= 16) {
    // The last sixteen share some with those before them.
    const last = n - 16;
    let i: usize = 0;
    do {
      const at = min(i, last);
      v128.store(to + at, v128.load(from + at));
      i += 16;
    } while (i < n);
    return;
  }
  if (n >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + n - 8, load<u64>(from + n - 8));
    return;
  }
  do {
    store<u8>(to++, load<u8>(from++));
  } while (--n > 0);
}
