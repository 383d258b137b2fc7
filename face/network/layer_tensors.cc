#include "face/network/layer_tensors.h"

#include <cmath>
#include <cstring>

#include "face/base/check.h"

namespace facegate::network {
namespace {

std::vector<float> NumbersOf(const TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  FACEGATE_CHECK(found != tensors.end());  // the shapes were compared before
  const std::string& bytes = found->second.bytes;
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

}  // namespace

std::vector<float> LayerTensors::Numbers(const char* name) const {
  return NumbersOf(tensors_, name_ + name);
}

std::vector<double> LayerTensors::Doubles(const char* name) const {
  const std::vector<float> numbers = Numbers(name);
  return {numbers.begin(), numbers.end()};
}

std::vector<float> LayerTensors::OwnNumbers() const {
  return NumbersOf(tensors_, name_.substr(0, name_.size() - 1));
}

ChannelScale LayerTensors::NormOf(const BatchNorm& layer) const {
  const auto channels = static_cast<size_t>(layer.channels);
  ChannelScale norm{.scale = std::vector<double>(channels, 1.0),
                    .shift = std::vector<double>(channels, 0.0)};
  if (layer.affine) norm = {.scale = Doubles("weight"), .shift = Doubles("bias")};
  const std::vector<double> mean = Doubles("running_mean");
  const std::vector<double> variance = Doubles("running_var");
  for (size_t c = 0; c < channels; ++c) {
    norm.scale[c] /= std::sqrt(variance[c] + layer.epsilon);
    norm.shift[c] -= mean[c] * norm.scale[c];
  }
  return norm;
}

}  // namespace facegate::network
