#include "face/network/random_weights.h"

#include <bit>
#include <cmath>
#include <string>
#include <string_view>

#include "face/base/coding.h"
#include "face/base/split_mix.h"
#include "face/network/architecture.h"
#include "face/network/shape_map.h"

namespace facegate {
namespace {

constexpr double kPReluSlope = 0.25;

// The seed of one tensor's stream: no tensor depends on which others there are (FNV-1a, 64 bit).
uint64_t StreamSeed(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// Nearly normal with variance 1: the sum of four uniform 16-bit numbers. Integers and one IEEE
// multiplication, so no libm can change a bit.
double NextGaussian(SplitMix64& random) {
  const uint64_t bits = random.Next();
  int64_t sum = int64_t{-2} * 65535;
  for (int i = 0; i < 4; ++i) sum += static_cast<int64_t>(bits >> (16 * i) & 0xffff);
  constexpr double kStandardDeviation = 37837.2272;  // sqrt(4 * (65536^2 - 1) / 12)
  return static_cast<double>(sum) / kStandardDeviation;
}

// -1 to 1 in steps of 2^-20.
double NextUniform(SplitMix64& random) {
  return static_cast<double>(random.Next() >> 43) * 0x1p-20 - 1.0;
}

// Mean and spread of a tensor's values, by what the tensor is for.
struct Distribution {
  double mean = 0.0;
  double spread = 0.0;
  bool gaussian = false;  // spread is the standard deviation; else half the width
};

// A weight of 0.8 in each batch norm keeps residual sums of a hundred units in range: a branch adds
// 0.8^6 of its input's variance. Means and spreads of the uniform ones are sums of few powers of
// two: products and sums with NextUniform() are exact, so a fused multiply-add changes no bit.
Distribution DistributionOf(std::string_view name, const std::vector<int64_t>& shape) {
  if (name.ends_with("running_mean")) return {0.0, 0.125};
  if (name.ends_with("running_var")) return {1.0, 0.1875};
  if (name.ends_with("bias")) return {0.0, 0.125};
  if (shape.size() > 1) {
    double fan_in = 1.0;
    for (size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
    // He et al. 2015 for a PReLU of this slope.
    return {0.0, std::sqrt(2.0 / ((1.0 + kPReluSlope * kPReluSlope) * fan_in)), true};
  }
  return name.find("prelu") != std::string_view::npos ? Distribution{kPReluSlope, 0.125}
                                                      : Distribution{0.8125, 0.125};
}

Tensor MakeTensor(const std::string& name, const std::vector<int64_t>& shape, uint64_t seed) {
  SplitMix64 random(StreamSeed(seed, name));
  const Distribution distribution = DistributionOf(name, shape);
  Tensor tensor{.dtype = DType::kF32, .shape = shape, .bytes = {}};
  const auto count = static_cast<size_t>(tensor.element_count());
  tensor.bytes.reserve(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    const double unit = distribution.gaussian ? NextGaussian(random) : NextUniform(random);
    const auto value = static_cast<float>(distribution.mean + distribution.spread * unit);
    AppendLittleEndian(tensor.bytes, std::bit_cast<uint32_t>(value));
  }
  return tensor;
}

}  // namespace

TensorMap RandomWeights(const network::Description& description, uint64_t seed) {
  TensorMap tensors;
  for (const auto& [name, shape] : ShapesOf(description)) {
    if (IsBatchCounter(name)) {
      tensors[name] = Tensor{.dtype = DType::kI64, .shape = {}, .bytes = std::string(8, '\0')};
    } else {
      tensors[name] = MakeTensor(name, shape, seed);
    }
  }
  return tensors;
}

StatusOr<TensorMap> RandomWeights(std::string_view architecture, uint64_t seed) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture));
  return RandomWeights(description, seed);
}

}  // namespace facegate
