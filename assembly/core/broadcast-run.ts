/** Where the codes of a run lie: at `from`, or, where one code serves all, in `place`, eight times. */
// @ts-ignore: decorator
@inline export function broadcastRun(from: usize, step: i32, place: usize): usize {
  if (step != 0) return from;
  v128.store64_lane(place, v128.load8_splat(from), 0);
  return place;
}
