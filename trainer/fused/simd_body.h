#pragma once

#include "trainer/fused/simd_kernels.h"

// The source of each set of SimdKernels, written for vectors of FACEGATE_SIMD_LANES floats. It is
// compiled with flags of an instruction set that the processor may lack, so everything is internal
// to the file that includes it, and no inline function of another header is used.
#ifndef FACEGATE_SIMD_LANES
#error "define FACEGATE_SIMD_LANES before this header"
#endif

namespace facegate {
namespace {

constexpr int64_t kLanes = FACEGATE_SIMD_LANES;
// A tile of a product fills the registers: rows times vectors of sums.
constexpr int kTileRows = 6;
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;
constexpr int64_t kPanel = kTileVectors * kLanes;
// Rows that sums over rows take at a time, so that a sum stays in its register.
constexpr int64_t kRowBlock = 8;

static_assert(kChannelMultiple % kLanes == 0 && kPanel % kLanes == 0);

typedef float Vec __attribute__((vector_size(FACEGATE_SIMD_LANES * 4)));
typedef float UnalignedVec
    __attribute__((vector_size(FACEGATE_SIMD_LANES * 4), aligned(4), may_alias));

inline Vec Load(const float* from) { return *reinterpret_cast<const UnalignedVec*>(from); }
inline void Store(float* to, Vec value) { *reinterpret_cast<UnalignedVec*>(to) = value; }
inline Vec Broadcast(float value) { return value - Vec{}; }
inline int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }

struct TileArgs {
  int64_t depth;
  const float* a;
  int64_t a_row_stride;
  int64_t a_depth_stride;
  const float* b;
  int64_t b_depth_stride;
  float* c;
  int64_t c_row_stride;
  bool accumulate;
};

template <int kRows, int kVectors>
void MultiplyTile(const TileArgs& args) {
  const float* a = args.a;
  const float* b = args.b;
  const int64_t a_row_stride = args.a_row_stride;
  const int64_t a_depth_stride = args.a_depth_stride;
  const int64_t b_depth_stride = args.b_depth_stride;
  Vec sums[kRows][kVectors] = {};
  for (int64_t k = args.depth; k > 0; --k) {
    Vec row[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) row[v] = Load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec factor = Broadcast(a[r * a_row_stride]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sums[r][v] += factor * row[v];
    }
    a += a_depth_stride;
    b += b_depth_stride;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    float* const c = args.c + r * args.c_row_stride;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      Store(c + v * kLanes, args.accumulate ? Load(c + v * kLanes) + sums[r][v] : sums[r][v]);
    }
  }
}

template <int kVectors>
void MultiplyRows(int64_t rows, const TileArgs& args) {
  switch (rows) {
    case 1:
      return MultiplyTile<1, kVectors>(args);
    case 2:
      return MultiplyTile<2, kVectors>(args);
    case 3:
      return MultiplyTile<3, kVectors>(args);
    case 4:
      return MultiplyTile<4, kVectors>(args);
    case 5:
      return MultiplyTile<5, kVectors>(args);
    default:
      return MultiplyTile<kTileRows, kVectors>(args);
  }
}

void MultiplyPanel(int64_t width, int64_t rows, const TileArgs& args) {
  if constexpr (kTileVectors == 4) {
    if (width == 4 * kLanes) return MultiplyRows<4>(rows, args);
    if (width == 3 * kLanes) return MultiplyRows<3>(rows, args);
  }
  if (width == 2 * kLanes) return MultiplyRows<2>(rows, args);
  MultiplyRows<1>(rows, args);
}

void Multiply(const ProductArgs& args) {
  for (int64_t column = 0; column < args.columns; column += kPanel) {
    const int64_t width = Smaller(kPanel, args.columns - column);
    for (int64_t row = 0; row < args.rows; row += kTileRows) {
      MultiplyPanel(width, Smaller(kTileRows, args.rows - row),
                    {.depth = args.depth,
                     .a = args.a + row * args.a_row_stride,
                     .a_row_stride = args.a_row_stride,
                     .a_depth_stride = args.a_depth_stride,
                     .b = args.b + column / kPanel * args.b_panel_stride,
                     .b_depth_stride = args.b_depth_stride == 0 ? width : args.b_depth_stride,
                     .c = args.c + row * args.c_row_stride + column,
                     .c_row_stride = args.c_row_stride,
                     .accumulate = args.accumulate});
    }
  }
}

template <bool kSlope, bool kAdded>
void ValueOf(const ValueArgs& args) {
  for (int64_t begin = 0; begin < args.rows; begin += kRowBlock) {
    const int64_t end = Smaller(args.rows, begin + kRowBlock);
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      const Vec scale = Load(args.scale + c);
      const Vec shift = Load(args.shift + c);
      const Vec slope = kSlope ? Load(args.slope + c) : Vec{};
      for (int64_t at = begin * args.channels + c; at < end * args.channels; at += args.channels) {
        Vec value = Load(args.z + at) * scale + shift;
        if constexpr (kSlope) value = value > 0.0F ? value : value * slope;
        if constexpr (kAdded) value += Load(args.added + at);
        Store(args.out + at, value);
      }
    }
  }
}

void Value(const ValueArgs& args) {
  if (args.slope != nullptr) {
    args.added != nullptr ? ValueOf<true, true>(args) : ValueOf<true, false>(args);
  } else {
    args.added != nullptr ? ValueOf<false, true>(args) : ValueOf<false, false>(args);
  }
}

template <bool kSlope, bool kAdded>
void GateOf(const GateArgs& args) {
  for (int64_t begin = 0; begin < args.rows; begin += kRowBlock) {
    const int64_t end = Smaller(args.rows, begin + kRowBlock);
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      const Vec scale = Load(args.scale + c);
      const Vec shift = Load(args.shift + c);
      const Vec mean = Load(args.mean + c);
      const Vec slope = kSlope ? Load(args.slope + c) : Vec{};
      Vec sum = Load(args.sum + c);
      Vec sum_by_z = Load(args.sum_by_z + c);
      Vec slope_sum = kSlope ? Load(args.slope_sum + c) : Vec{};
      for (int64_t at = begin * args.channels + c; at < end * args.channels; at += args.channels) {
        Vec gradient = Load(args.gradient + at);
        if constexpr (kAdded) gradient += Load(args.added + at);
        const Vec z = Load(args.z + at);
        if constexpr (kSlope) {
          const Vec value = z * scale + shift;
          slope_sum += value > 0.0F ? Vec{} : gradient * value;
          gradient = value > 0.0F ? gradient : gradient * slope;
        }
        sum += gradient;
        sum_by_z += gradient * (z - mean);
        Store(args.out + at, gradient);
      }
      Store(args.sum + c, sum);
      Store(args.sum_by_z + c, sum_by_z);
      if constexpr (kSlope) Store(args.slope_sum + c, slope_sum);
    }
  }
}

void Gate(const GateArgs& args) {
  if (args.slope != nullptr) {
    args.added != nullptr ? GateOf<true, true>(args) : GateOf<true, false>(args);
  } else {
    args.added != nullptr ? GateOf<false, true>(args) : GateOf<false, false>(args);
  }
}

void NormGradient(const NormGradientArgs& args) {
  for (int64_t begin = 0; begin < args.rows; begin += kRowBlock) {
    const int64_t end = Smaller(args.rows, begin + kRowBlock);
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      const Vec by_gradient = Load(args.by_gradient + c);
      const Vec by_z = Load(args.by_z + c);
      const Vec constant = Load(args.constant + c);
      for (int64_t at = begin * args.channels + c; at < end * args.channels; at += args.channels) {
        Store(args.out + at,
              Load(args.gradient + at) * by_gradient + (Load(args.z + at) * by_z + constant));
      }
    }
  }
}

// The mean first, then the squares around it: both passes find the rows in the cache.
void Moments(const MomentArgs& args) {
  const int64_t total = args.rows * args.channels;
  const float share = 1.0F / static_cast<float>(args.rows);
  for (int64_t c = 0; c < args.channels; c += kLanes) Store(args.squares + c, Vec{});
  for (int64_t begin = 0; begin < total; begin += kRowBlock * args.channels) {
    const int64_t end = Smaller(total, begin + kRowBlock * args.channels);
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      Vec sum = Load(args.squares + c);
      for (int64_t at = begin + c; at < end; at += args.channels) sum += Load(args.z + at);
      Store(args.squares + c, sum);
    }
  }
  for (int64_t c = 0; c < args.channels; c += kLanes) {
    Store(args.mean + c, Load(args.squares + c) * share);
    Store(args.squares + c, Vec{});
  }
  for (int64_t begin = 0; begin < total; begin += kRowBlock * args.channels) {
    const int64_t end = Smaller(total, begin + kRowBlock * args.channels);
    for (int64_t c = 0; c < args.channels; c += kLanes) {
      const Vec mean = Load(args.mean + c);
      Vec sum = Load(args.squares + c);
      for (int64_t at = begin + c; at < end; at += args.channels) {
        const Vec apart = Load(args.z + at) - mean;
        sum += apart * apart;
      }
      Store(args.squares + c, sum);
    }
  }
}

void Depthwise3(const DepthwiseArgs& args) {
  const int64_t channels = args.channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    Vec weight[9];
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; ++tap) weight[tap] = Load(args.weight + tap * channels + c);
    for (int64_t x = 0; x < args.outputs; ++x) {
      const int64_t at = x * args.stride * channels + c;
      Vec sum = {};
#pragma GCC unroll 3
      for (int ky = 0; ky < 3; ++ky) {
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; ++kx) {
          sum += Load(args.inputs[ky] + at + kx * channels) * weight[ky * 3 + kx];
        }
      }
      Store(args.out + x * channels + c, sum);
    }
  }
}

void Depthwise(const DepthwiseArgs& args) {
  if (args.kernel == 3) return Depthwise3(args);
  const int64_t channels = args.channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    for (int64_t x = 0; x < args.outputs; ++x) {
      const float* weight = args.weight + c;
      Vec sum = {};
      for (int64_t ky = 0; ky < args.kernel; ++ky) {
        const float* input = args.inputs[ky] + x * args.stride * channels + c;
        for (int64_t kx = 0; kx < args.kernel; ++kx) {
          sum += Load(input) * Load(weight);
          input += channels;
          weight += channels;
        }
      }
      Store(args.out + x * channels + c, sum);
    }
  }
}

void Depthwise3Gradient(const DepthwiseGradientArgs& args) {
  const int64_t channels = args.channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    Vec weight[9];
    Vec sums[9];
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; ++tap) {
      weight[tap] = Load(args.weight + tap * channels + c);
      sums[tap] = Load(args.weight_gradient + tap * channels + c);
    }
    for (int64_t x = 0; x < args.outputs; ++x) {
      const int64_t at = x * args.stride * channels + c;
      const Vec gradient = Load(args.gradient + x * channels + c);
#pragma GCC unroll 3
      for (int ky = 0; ky < 3; ++ky) {
        const float* const input = args.inputs[ky] + at;
        float* const target = args.input_gradients[ky] + at;
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; ++kx) {
          const int64_t to = kx * channels;
          sums[ky * 3 + kx] += gradient * Load(input + to);
          Store(target + to, Load(target + to) + gradient * weight[ky * 3 + kx]);
        }
      }
    }
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; ++tap) Store(args.weight_gradient + tap * channels + c, sums[tap]);
  }
}

void DepthwiseGradient(const DepthwiseGradientArgs& args) {
  if (args.kernel == 3) return Depthwise3Gradient(args);
  const int64_t channels = args.channels;
  for (int64_t c = 0; c < channels; c += kLanes) {
    for (int64_t x = 0; x < args.outputs; ++x) {
      const Vec gradient = Load(args.gradient + x * channels + c);
      for (int64_t ky = 0; ky < args.kernel; ++ky) {
        for (int64_t kx = 0; kx < args.kernel; ++kx) {
          const int64_t at = (x * args.stride + kx) * channels + c;
          const int64_t tap = (ky * args.kernel + kx) * channels + c;
          float* const target = args.input_gradients[ky] + at;
          Store(target, Load(target) + gradient * Load(args.weight + tap));
          Store(args.weight_gradient + tap,
                Load(args.weight_gradient + tap) + gradient * Load(args.inputs[ky] + at));
        }
      }
    }
  }
}

SimdKernels KernelsNamed(std::string_view name) {
  return {.name = name,
          .panel = kPanel,
          .multiply = Multiply,
          .value = Value,
          .gate = Gate,
          .norm_gradient = NormGradient,
          .moments = Moments,
          .depthwise = Depthwise,
          .depthwise_gradient = DepthwiseGradient};
}

}  // namespace
}  // namespace facegate
