#include "trainer/learn/initial_weights.h"

#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "face/base/random.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr uint64_t kStream = 31;
constexpr double kSlope = 0.25;

bool EndsWith(const std::string& name, std::string_view ending) {
  return std::string_view(name).ends_with(ending);
}

void FillNormal(Tensor& tensor, double deviation, RandomStream& random) {
  auto* const values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(deviation * random.Normal());
  }
}

// Batch norms have running means beside their weight; PReLU has a weight alone.
std::string LayerOf(const std::string& name) { return name.substr(0, name.rfind('.') + 1); }

}  // namespace

bool IsDecayed(const Tensor& parameter) { return parameter.dim() > 1; }

void SetInitialWeights(torch::nn::Module& module, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const auto buffers = module.named_buffers();
  // They go in the order of names, whatever the order of layers.
  std::map<std::string, Tensor> parameters;
  for (const auto& item : module.named_parameters()) parameters.emplace(item.key(), item.value());
  uint64_t place = 0;
  for (auto& [name, value] : parameters) {
    ++place;
    if (IsDecayed(value)) {
      RandomStream random(seed, kStream, place);
      // Outputs times the places of the kernel, as PyTorch counts them: of a depthwise convolution
      // too all outputs, although each input reaches one of them alone.
      const double fan_out =
          static_cast<double>(value.numel()) / static_cast<double>(value.size(1));
      FillNormal(value, std::sqrt(2.0 / fan_out), random);
    } else if (EndsWith(name, "bias")) {
      value.zero_();
    } else if (buffers.contains(LayerOf(name) + "running_mean")) {
      value.fill_(1.0);
    } else {
      value.fill_(kSlope);
    }
  }
  for (const auto& item : buffers) {
    Tensor value = item.value();
    value.fill_(EndsWith(item.key(), "running_var") ? 1.0 : 0.0);
  }
}

}  // namespace facegate
