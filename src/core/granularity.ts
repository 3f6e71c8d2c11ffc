/** How many parameters a tensor has: one scale and zero point, or one pair per channel. */
export type Granularity = "perTensor" | "perChannel";

/** Whose memory layout weights are in. tfjs: [kh, kw, in, out], [in, out]; PyTorch: [out, in, kh, kw], [out, in]. */
export type WeightLayout = "pytorch" | "tfjs";
