#pragma once

#include <string>
#include <vector>

#include "face/network/channel_scale.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

namespace facegate::network {

// The numbers of one layer after the other, for who follows a network. The tensors are those of its
// description, all of type kF32.
class LayerTensors {
 protected:
  // `tensors` must outlive this.
  explicit LayerTensors(const TensorMap& tensors) : tensors_(tensors) {}

  // Of a tensor of the layer at hand, such as "weight".
  std::vector<float> Numbers(const char* name) const;
  std::vector<double> Doubles(const char* name) const;
  // Of the tensor that is called as the layer is.
  std::vector<float> OwnNumbers() const;
  // What a batch norm does to each channel once it has learned.
  ChannelScale NormOf(const BatchNorm& layer) const;

  std::string name_;  // of the layer at hand, with a dot at its end

 private:
  const TensorMap& tensors_;
};

}  // namespace facegate::network
