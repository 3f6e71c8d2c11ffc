import { features } from "../../../assembly/core/features";

describe("features", () => {
  it("tells SIMD and assertions, with which specs are compiled", () => {
    expect<i32>(features()).toBe(1 | 4);
  });
});
