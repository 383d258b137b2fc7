#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// What a batch norm is at inference, and how it becomes part of the weights beside it.
namespace facegate::network {

// x · scale + shift, for each channel.
struct ChannelScale {
  std::vector<double> scale;
  std::vector<double> shift;

  size_t channels() const { return scale.size(); }
};

// `first` and then `second`, of as many channels.
ChannelScale Composed(const ChannelScale& first, const ChannelScale& second);

// Makes weight · x + bias what comes after it, too. `weight` has a row for each output, `bias` a
// number for each, or none.
void FoldAfter(const ChannelScale& after, std::vector<float>& weight, std::vector<float>& bias);

// What the outputs of a convolution or linear layer read.
struct FoldInputs {
  int64_t groups = 1;
  size_t channels = 0;  // of the input
  size_t places = 1;    // weights for each of them
};

// Makes weight · x + bias what comes before it, too: weight · (scale · x + shift) + bias.
void FoldBefore(const ChannelScale& before, const FoldInputs& inputs, std::vector<float>& weight,
                std::vector<double>& bias);

}  // namespace facegate::network
