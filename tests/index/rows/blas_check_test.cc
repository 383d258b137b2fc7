#include "index/rows/blas_check.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(BlasCheckTest, MeasuresAPlausibleSpeed) {
  const double gflops = MeasureBlasGflops();
  // No processor of today is outside, with the slowest BLAS and the fastest, sanitizers or not.
  EXPECT_GT(gflops, 0.001);
  EXPECT_LT(gflops, 100'000.0);
}

}  // namespace
}  // namespace facegate
