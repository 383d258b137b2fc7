#include "face/torch/blas_check.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(BlasCheckTest, MeasuresAPlausibleSpeed) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const double gflops, MeasureBlasGflops());
  // No processor of today is outside, with the slowest BLAS and the fastest, sanitizers or not.
  EXPECT_GT(gflops, 0.001);
  EXPECT_LT(gflops, 100'000.0);
}

}  // namespace
}  // namespace facegate
