#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

// Inner loops of training on floats whose channels lie together (pixels are rows, channels are
// columns). Each set is the same source compiled for one instruction set; sets differ in rounding
// alone. Counts of channels are multiples of kChannelMultiple.
namespace facegate {

inline constexpr int64_t kChannelMultiple = 16;

// c = a·b, or c += a·b: `rows` by `depth` times `depth` by `columns`.
struct ProductArgs {
  int64_t rows = 0;
  int64_t depth = 0;
  int64_t columns = 0;  // a multiple of kChannelMultiple
  const float* a = nullptr;
  int64_t a_row_stride = 0;
  int64_t a_depth_stride = 0;
  // Columns come in panels, see SimdKernels::panel; the last may be narrower.
  const float* b = nullptr;
  int64_t b_depth_stride = 0;  // within a panel; 0: as wide as the panel
  int64_t b_panel_stride = 0;
  float* c = nullptr;
  int64_t c_row_stride = 0;
  bool accumulate = false;
};

// out = v, or v > 0 ? v : slope·v, where v = z·scale + shift; then plus `added`.
struct ValueArgs {
  int64_t rows = 0;
  int64_t channels = 0;
  const float* z = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* slope = nullptr;  // null: no activation
  const float* added = nullptr;  // null: nothing
  float* out = nullptr;
};

// The gradient of a value becomes that of z·scale + shift, with the sums that batch norm needs.
struct GateArgs {
  int64_t rows = 0;
  int64_t channels = 0;
  const float* gradient = nullptr;
  const float* added = nullptr;  // to the gradient; null: nothing; may be `out`
  const float* z = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* slope = nullptr;  // null: no activation
  const float* mean = nullptr;
  float* out = nullptr;
  // These grow, a number a channel.
  float* sum = nullptr;        // of `out`
  float* sum_by_z = nullptr;   // of out·(z - mean)
  float* slope_sum = nullptr;  // of the slope's gradient; null without a slope
};

// out = by_gradient·gradient + by_z·z + constant.
struct NormGradientArgs {
  int64_t rows = 0;
  int64_t channels = 0;
  const float* gradient = nullptr;
  const float* z = nullptr;
  const float* by_gradient = nullptr;
  const float* by_z = nullptr;
  const float* constant = nullptr;
  float* out = nullptr;
};

struct MomentArgs {
  int64_t rows = 0;  // at least 1
  int64_t channels = 0;
  const float* z = nullptr;
  float* mean = nullptr;
  float* squares = nullptr;  // the sum of (z - mean)²
};

// One row of pixels of a depthwise convolution. Rows of the input are padded and `kernel` many;
// weights are kernel·kernel rows of channels.
struct DepthwiseArgs {
  int64_t channels = 0;
  int64_t outputs = 0;  // pixels
  int64_t kernel = 0;
  int64_t stride = 0;
  const float* const* inputs = nullptr;
  const float* weight = nullptr;
  float* out = nullptr;
};

// Its gradients: both targets grow.
struct DepthwiseGradientArgs {
  int64_t channels = 0;
  int64_t outputs = 0;
  int64_t kernel = 0;
  int64_t stride = 0;
  const float* const* inputs = nullptr;
  const float* weight = nullptr;
  const float* gradient = nullptr;
  float* const* input_gradients = nullptr;
  float* weight_gradient = nullptr;
};

struct SimdKernels {
  std::string_view name;
  int64_t panel = 0;  // columns of a panel of ProductArgs::b
  void (*multiply)(const ProductArgs& args) = nullptr;
  void (*value)(const ValueArgs& args) = nullptr;
  void (*gate)(const GateArgs& args) = nullptr;
  void (*norm_gradient)(const NormGradientArgs& args) = nullptr;
  void (*moments)(const MomentArgs& args) = nullptr;
  void (*depthwise)(const DepthwiseArgs& args) = nullptr;
  void (*depthwise_gradient)(const DepthwiseGradientArgs& args) = nullptr;
};

// The sets that this processor can run, the fastest first; never empty.
const std::vector<SimdKernels>& UsableSimdKernels();

// These are the kernels of one instruction set each; nothing checks that the processor has it.
SimdKernels PortableKernels();
SimdKernels Avx2Kernels();
SimdKernels Avx512Kernels();

}  // namespace facegate
