#include "face/network/channel_scale.h"

namespace facegate::network {

ChannelScale Composed(const ChannelScale& first, const ChannelScale& second) {
  ChannelScale both = second;
  for (size_t c = 0; c < both.channels(); ++c) {
    both.shift[c] += both.scale[c] * first.shift[c];
    both.scale[c] *= first.scale[c];
  }
  return both;
}

void FoldAfter(const ChannelScale& after, std::vector<float>& weight, std::vector<float>& bias) {
  const size_t outputs = after.channels();
  const size_t row = weight.size() / outputs;
  bias.resize(outputs);
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < row; ++i) {
      float& one = weight[o * row + i];
      one = static_cast<float>(one * after.scale[o]);
    }
    bias[o] = static_cast<float>(bias[o] * after.scale[o] + after.shift[o]);
  }
}

void FoldBefore(const ChannelScale& before, const FoldInputs& inputs, std::vector<float>& weight,
                std::vector<double>& bias) {
  const size_t outputs = bias.size();
  const auto groups = static_cast<size_t>(inputs.groups);
  const size_t channels = inputs.channels / groups;  // that one output reads
  for (size_t o = 0; o < outputs; ++o) {
    const size_t first = o / (outputs / groups) * channels;
    for (size_t c = 0; c < channels; ++c) {
      for (size_t place = 0; place < inputs.places; ++place) {
        float& one = weight[(o * channels + c) * inputs.places + place];
        bias[o] += one * before.shift[first + c];
        one = static_cast<float>(one * before.scale[first + c]);
      }
    }
  }
}

}  // namespace facegate::network
