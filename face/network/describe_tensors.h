#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

// Networks are recognised where no architecture of the table fits: the families are known, and the
// names and shapes of the tensors say what is free in them (numbers of units and channels, the
// length of the embedding, the size of the input, channel gates).
namespace facegate::network {

enum class Activation { kRelu6, kRelu };

// Holds what names and shapes cannot tell.
struct DescribeHints {
  std::optional<Sides> input{};  // pixels
  std::optional<Activation> activation{};
};

struct FoundNetwork {
  Description network;
  std::vector<std::string> remarks{};  // sentences on what was taken without being certain
};

// What each family that has its telltale tensors under `prefix` would describe. Whether all of the
// tensors are those of the description is for the caller to compare (shape_map.h); each one is
// within the limits of description_json.h and its layers fit each other.
std::vector<FoundNetwork> DescribeTensors(const TensorMap& tensors, std::string_view prefix,
                                          const DescribeHints& hints);

// The prefixes (with a dot at their end, or empty) under which there are telltale tensors.
std::vector<std::string> TelltalePrefixes(const TensorMap& tensors);

// Of the families, for messages.
std::string FamilyNames();

}  // namespace facegate::network
