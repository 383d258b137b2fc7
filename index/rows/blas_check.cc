#include "index/rows/blas_check.h"

#include <algorithm>
#include <chrono>
#include <vector>

// The reference BLAS: C = alpha A B + beta C, column by column.
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace facegate {

double MeasureBlasGflops() {
  constexpr int kSide = 384;
  constexpr int kTries = 4;
  constexpr float kOne = 1.0f;
  constexpr float kZero = 0.0f;
  constexpr auto kValues = static_cast<size_t>(kSide) * kSide;
  const std::vector<float> a(kValues, 0.5f);
  const std::vector<float> b(kValues, 0.25f);
  std::vector<float> product(kValues);
  double best_seconds = 1e9;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    ::sgemm_("N", "N", &kSide, &kSide, &kSide, &kOne, a.data(), &kSide, b.data(), &kSide, &kZero,
             product.data(), &kSide);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, taken.count());
  }
  constexpr double kFlop = 2.0 * kSide * kSide * kSide;
  return kFlop / std::max(best_seconds, 1e-9) * 1e-9;
}

}  // namespace facegate
