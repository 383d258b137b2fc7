#include "trainer/learn/initial_weights.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "face/base/random.h"
#include "face/torch/token_layers.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr uint64_t kStream = 31;
constexpr double kSlope = 0.25;
constexpr double kOfTransformer = 0.02;  // the deviation
constexpr int64_t kOfConvolution = 4;    // extents of a weight

bool EndsWith(const std::string& name, std::string_view ending) {
  return std::string_view(name).ends_with(ending);
}

void FillNormal(Tensor& tensor, double deviation, RandomStream& random) {
  auto* const values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(deviation * random.Normal());
  }
}

void FillUniform(Tensor& tensor, double most, RandomStream& random) {
  auto* const values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(random.Uniform(-most, most));
  }
}

// Batch norms have running means beside their weight; PReLU has a weight alone.
std::string LayerOf(const std::string& name) { return name.substr(0, name.rfind('.') + 1); }

template <typename Kind>
bool Holds(const torch::nn::Module& module) {
  for (const auto& inner : module.modules(/*include_self=*/false)) {
    if (dynamic_cast<const Kind*>(inner.get()) != nullptr) return true;
  }
  return false;
}

// The names of the weights of layer norms.
std::set<std::string> NormWeights(const torch::nn::Module& module) {
  std::set<std::string> names;
  for (const auto& inner : module.named_modules("", /*include_self=*/false)) {
    if (dynamic_cast<const LayerNorm*>(inner.value().get()) == nullptr) continue;
    names.insert(inner.key() + ".weight");
  }
  return names;
}

// The patches of a transformer are a convolution, whose weights begin as PyTorch's do; the bias is
// as wide as these.
double WidthOfPatches(const Tensor& weight) {
  return 1.0 / std::sqrt(static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0)));
}

}  // namespace

bool IsDecayed(const Tensor& parameter) { return parameter.dim() > 1; }

void SetInitialWeights(torch::nn::Module& module, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const auto buffers = module.named_buffers();
  // They go in the order of names, whatever the order of layers.
  std::map<std::string, Tensor> parameters;
  for (const auto& item : module.named_parameters()) parameters.emplace(item.key(), item.value());
  const bool transformer = Holds<SelfAttention>(module);
  const std::set<std::string> norms = NormWeights(module);
  uint64_t place = 0;
  for (auto& [name, value] : parameters) {
    ++place;
    RandomStream random(seed, kStream, place);
    const auto weight = parameters.find(LayerOf(name) + "weight");
    const bool of_patches =
        transformer && weight != parameters.end() && weight->second.dim() == kOfConvolution;
    if (of_patches) {
      FillUniform(value, WidthOfPatches(weight->second), random);
    } else if (transformer && IsDecayed(value)) {
      FillNormal(value, kOfTransformer, random);
    } else if (IsDecayed(value)) {
      // Outputs times the places of the kernel, as PyTorch counts them: of a depthwise convolution
      // too all outputs, although each input reaches one of them alone.
      const double fan_out =
          static_cast<double>(value.numel()) / static_cast<double>(value.size(1));
      FillNormal(value, std::sqrt(2.0 / fan_out), random);
    } else if (EndsWith(name, "bias")) {
      value.zero_();
    } else if (norms.contains(name) || buffers.contains(LayerOf(name) + "running_mean")) {
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
