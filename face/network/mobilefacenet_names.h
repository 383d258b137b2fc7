#pragma once

#include <array>
#include <string>

#include "face/network/mobilefacenet.h"

namespace facegate::network {

// What the layers of a MobileFaceNet are called in one of its originals; parts of the keys of its
// state dict, joined by dots.
struct MobileFaceNetNames {
  std::string group;                 // the chain of the trunk; empty where there is none
  std::array<std::string, 8> trunk;  // its parts
  std::string inner;                 // the chain inside each block; empty where there is none
  std::string conv, norm, prelu;     // the layers of a block
  std::string expand;                // the blocks of a unit
  std::string depthwise;
  std::string project;
  std::string repeats;  // units of one kind
  // Keys of weights of the head: of the convolution after the trunk, of that over the last map, and
  // of the layer that gives the embedding.
  std::string separate, global, embed;

  // `name` inside a block or a unit.
  std::string Inside(const std::string& name) const {
    return inner.empty() ? name : inner + "." + name;
  }
};

MobileFaceNetNames NamesOf(MobileFaceNetNaming naming);

}  // namespace facegate::network
