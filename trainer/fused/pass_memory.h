#pragma once

#include <cstdint>
#include <vector>

#include "trainer/fused/float_block.h"
#include "trainer/fused/fused_pass.h"

namespace facegate {

// Sums of a group of pictures, one number a channel: of pieces in float, of all pieces in double.
class ChannelSums {
 public:
  explicit ChannelSums(int64_t most_channels);

  void Reset(int64_t channels);
  // The pieces' sums grow here.
  float* piece(int which) { return pieces_[which].data(); }
  // Adds the pieces' sums to the totals and begins with new ones.
  void Absorb();
  const std::vector<double>& total(int which) const { return totals_[which]; }

  static constexpr int kGradient = 0;
  static constexpr int kGradientByZ = 1;
  static constexpr int kSlope = 2;

 private:
  static constexpr int kKinds = 3;

  int64_t channels_ = 0;
  std::vector<float> pieces_[kKinds];
  std::vector<double> totals_[kKinds];
};

// Mean and squares around it, gathered from pieces (Chan et al., 1979).
class ChannelMoments {
 public:
  explicit ChannelMoments(int64_t most_channels);

  void Reset(int64_t channels);
  // The moments of `count` rows, the mean and the sum of squares around it.
  void Add(int64_t count, const float* mean, const float* squares);
  void Add(const ChannelMoments& other);

  int64_t count() const { return count_; }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& squares() const { return squares_; }

 private:
  template <typename Number>
  void Merge(int64_t count, const Number* mean, const Number* squares);

  int64_t channels_ = 0;
  int64_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> squares_;
};

// The values that one stage keeps from the way forward to the way back.
struct StageMemory {
  FloatBlock z{};      // the convolution's output
  FloatBlock value{};  // empty where the value is computed when it is read
  bool keeps_value = false;
  // The gradient of z·scale + shift: one of PassMemory::gradients.
  float* gradient = nullptr;
  FloatBlock channels{};  // the arrays below
  float* mean = nullptr;
  float* inverse = nullptr;  // of the standard deviation
  float* scale = nullptr;    // z·scale + shift is the batch norm's output
  float* shift = nullptr;
};

// The memory of a fixed group of pictures, whoever works on it.
struct GroupMemory {
  explicit GroupMemory(int64_t most_channels) : moments(most_channels), sums(most_channels) {}

  int64_t first_picture = 0;
  int64_t pictures = 0;
  ChannelMoments moments;
  ChannelSums sums;
  FloatBlock weight_gradient{};
};

// All memory of a FusedPass.
struct PassMemory {
  PassMemory(FusedPass::Shape shape_of_pass, const SimdKernels& kernel_set);

  const Stage& stage(size_t i) const { return shape.stages[i]; }
  const Extent& input_extent(size_t i) const { return shape.extents[i]; }
  const Extent& output_extent(size_t i) const { return shape.extents[i + 1]; }
  int groups_count() const { return static_cast<int>(groups.size()); }

  const FusedPass::Shape shape;
  const SimdKernels kernels;
  std::vector<StageMemory> stages;
  std::vector<FloatBlock> gradients;
  std::vector<GroupMemory> groups;
  std::vector<FloatBlock> scratch;  // of each worker
  FloatBlock packed_weight{};       // of the stage at work
  FloatBlock coefficients{};        // of the stage at work: three arrays
};

// The columns of a row of a stage's convolution as a matrix product; a multiple of
// kChannelMultiple.
int64_t ProductDepth(const Stage& stage);
// Rows of pixels that a matrix product takes at once, so that they stay in the cache.
int64_t ChunkRows(const Stage& stage);

}  // namespace facegate
