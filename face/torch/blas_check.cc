#include "face/torch/blas_check.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>

#include "face/base/catch.h"

namespace facegate {

StatusOr<double> MeasureBlasGflops() {
  constexpr int64_t kSide = 384;
  constexpr int kTries = 4;
  return CatchToStatus("measuring the BLAS", []() -> StatusOr<double> {
    const torch::NoGradGuard no_grad;
    const torch::Tensor a = torch::full({kSide, kSide}, 0.5f);
    const torch::Tensor b = torch::full({kSide, kSide}, 0.25f);
    torch::Tensor product = torch::empty({kSide, kSide});
    double best_seconds = 1e9;
    for (int i = 0; i < kTries; ++i) {
      const auto start = std::chrono::steady_clock::now();
      torch::mm_out(product, a, b);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      best_seconds = std::min(best_seconds, taken.count());
    }
    constexpr double kFlop = 2.0 * kSide * kSide * kSide;
    return kFlop / std::max(best_seconds, 1e-9) * 1e-9;
  });
}

}  // namespace facegate
