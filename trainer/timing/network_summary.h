#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"

namespace facegate {

// A layer, or a group of layers, of a network that embeds one picture.
struct LayerSummary {
  std::string name;  // as the keys of the state dict begin: "layer1.0.conv1"
  std::string type;  // "conv 3x3", "residual"
  // Parts of its name. Groups stand before what they hold, of a greater depth.
  int depth = 0;
  bool group = false;
  std::vector<int64_t> output;  // the shape for one picture: channels, height, width; or length
  int64_t parameters = 0;       // trainable and fixed, without buffers
  // Multiplications with an addition each in convolutions, linear layers and attention, for one
  // picture. Norms, activations and sums are not counted: they are a few for each value of
  // `output`.
  int64_t multiply_adds = 0;
};

struct NetworkSummary {
  std::vector<LayerSummary> layers;  // in the order in which they run
  network::Input input{};            // that was taken
  int64_t parameters = 0;
  int64_t multiply_adds = 0;
};

// Follows a picture of `sides`, or of the network's own input, through a network; nothing is
// computed. kInvalidArgument for a size that its last layers do not fit.
StatusOr<NetworkSummary> SummarizeNetwork(const network::Description& description,
                                          std::optional<network::Sides> sides = std::nullopt);

// The groups of this depth and the layers above it: each layer of the network is in exactly one.
std::vector<LayerSummary> LayersAtDepth(const NetworkSummary& network, int depth);
// All layers, no groups.
std::vector<LayerSummary> SingleLayers(const NetworkSummary& network);

}  // namespace facegate
