import { initConstants } from "../../../assembly/core/constants";
import { observeFakeQuantizeF32 } from "../../../assembly/kernels/observe-fake-quantize";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

const state = new StaticArray<f32>(4);
const statePtr = changetype<usize>(state);

/** min, max, and what the first value became. */
function observe(value: f32, first: i32, decay: f64, qmin: i32, qmax: i32): i32 {
  const x = new StaticArray<f32>(19);
  x.fill(value);
  const ptr = changetype<usize>(x);
  return observeFakeQuantizeF32(ptr, ptr, 19, statePtr, first, decay, qmin, qmax, 0);
}

describe("observeFakeQuantize", () => {
  it("the first batch initialises the range, later ones move it; scale and zero point follow", () => {
    expect<i32>(observe(15, 1, 0.5, 0, 15)).toBe(0);
    expect<f32>(state[0]).toBe(15);
    expect<f32>(state[1]).toBe(15);
    expect<f32>(state[2]).toBe(1);
    expect<i32>(load<i32>(statePtr, 12)).toBe(0);
    expect<i32>(observe(-15, 0, 0.5, 0, 15)).toBe(0);
    expect<f32>(state[0]).toBe(0);
    expect<f32>(state[1]).toBe(0);
    expect<f32>(state[2]).toBe(1);
  });

  it("returns 1 for NaN and 2 for a scale beyond float32, and keeps the range", () => {
    state[0] = -1;
    state[1] = 2;
    expect<i32>(observe(<f32>NaN, 0, 0.5, -128, 127)).toBe(1);
    expect<f32>(state[0]).toBe(-1);
    state[0] = -3.4e38;
    state[1] = 3e38;
    expect<i32>(observe(3.4e38, 0, 0.9, -1, 0)).toBe(2);
    expect<f32>(state[0]).toBe(-3.4e38);
    expect<f32>(state[1]).toBe(3e38);
  });
});
