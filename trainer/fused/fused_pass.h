#pragma once

#include <memory>
#include <span>
#include <vector>

#include "trainer/fused/simd_kernels.h"
#include "trainer/fused/stage.h"
#include "trainer/fused/workers.h"

namespace facegate {

struct PassMemory;

// One way forward and back through a run of stages in training mode, with all the memory for it.
//
// A convolution's output is written once, and its moments are taken while it lies in the cache.
// Batch norm, PReLU and additions are computed where they are read, piece by piece, and computed
// again on the way back: most of the time that they cost elsewhere is memory traffic.
//
// Results do not depend on the workers: sums run over fixed groups of pictures, in fixed order.
// Not thread-safe.
class FusedPass {
 public:
  static constexpr double kEpsilon = 1e-5;  // of batch norms
  static constexpr double kMomentum = 0.1;

  struct Shape {
    std::vector<Stage> stages;    // at least one
    std::vector<Extent> extents;  // as Extents() gives them
    int64_t batch = 0;            // at least 1
    int workers = 1;              // the most that will help
  };
  // Throws std::bad_alloc.
  FusedPass(Shape shape, const SimdKernels& kernels);
  ~FusedPass();
  FusedPass(const FusedPass&) = delete;
  FusedPass& operator=(const FusedPass&) = delete;

  const Shape& shape() const;

  // `input` and `output` have their channels last. Updates the running statistics.
  void Forward(const float* input, std::span<const StageWeights> weights, float* output,
               Workers& workers);
  // Follows Forward(), with the same input and weights; may be called again. `input_gradient` may
  // be null; it must be null where the first stage is a picture.
  void Backward(const float* input, std::span<const StageWeights> weights,
                const float* output_gradient, std::span<const StageGradients> gradients,
                float* input_gradient, Workers& workers);

 private:
  const std::unique_ptr<PassMemory> memory_;
};

}  // namespace facegate
