import { largestMagnitude, NOT_FINITE } from "../../../assembly/core/largest-magnitude";

describe("largestMagnitude", () => {
  it("is the largest anywhere, of either sign, and looks at nothing behind the array", () => {
    const x = new StaticArray<f32>(68);
    for (let n = 0; n <= 67; ++n) {
      x.fill(1e30);
      for (let i = 0; i < n; ++i) x[i] = -0.5;
      expect<i32>(largestMagnitude(changetype<usize>(x), n)).toBe(n == 0 ? 0 : reinterpret<i32>(<f32>0.5));
      for (let at = 0; at < n; ++at) {
        x[at] = -3;
        expect<i32>(largestMagnitude(changetype<usize>(x), n)).toBe(reinterpret<i32>(<f32>3));
        x[at] = <f32>NaN;
        expect<bool>(largestMagnitude(changetype<usize>(x), n) >= NOT_FINITE).toBe(true);
        x[at] = -(<f32>Infinity);
        expect<i32>(largestMagnitude(changetype<usize>(x), n)).toBe(NOT_FINITE);
        x[at] = -0.5;
      }
    }
  });
});
