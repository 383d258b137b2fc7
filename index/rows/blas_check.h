#pragma once

namespace facegate {

// Below this the reference BLAS is active instead of OpenBLAS: linear layers and batched searches
// are some 50 times slower then. One core does 60 GFLOP/s and more with OpenBLAS, 1 to 3 with the
// reference.
inline constexpr double kSlowBlasGflops = 10.0;

// Speed of a small matrix product through the BLAS that FAISS and the distribution's LibTorch use,
// in GFLOP/s: the best of a few tries on the calling thread, some milliseconds with a fast BLAS and
// a quarter of a second with a slow one.
double MeasureBlasGflops();

}  // namespace facegate
