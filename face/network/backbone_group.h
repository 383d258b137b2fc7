#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/network/describe_tensors.h"
#include "face/network/description.h"
#include "face/weights/torch_pickle.h"

namespace facegate {

// The tensors of a checkpoint that are a backbone.
struct BackboneGroup {
  // Of a known architecture, by whose name it goes, or of a known family.
  network::Description network;
  std::vector<std::string> remarks;  // see network::FoundNetwork
  size_t dict = 0;                   // in which of the dicts
  std::string prefix;                // in front of the names, such as "module.backbone."
  std::vector<std::string> names;    // of its tensors, with the prefix
  std::vector<std::string> left;     // of the tensors of that dict that are none of its own
};

// Holds what is known beforehand.
struct BackboneWish {
  std::optional<std::string> architecture{};  // this one alone
  std::optional<std::string> entry{};         // the place in the checkpoint: path, prefix or both
  network::DescribeHints hints{};             // of a network that has no name
  // Messages tell of these first where nothing fits.
  std::vector<std::string> preferred{};
};

// The largest group of tensors, in one dict and with one prefix, that has exactly the names and
// shapes of an architecture (batch counters may be missing); where there is none, and the wish
// names none, of what DescribeTensors() makes of them. What else the dict holds may be heads and
// the like, but no layers of the backbone's own names: those are a larger network.
// kInvalidArgument when there is none, naming the nearest network and what does not fit; and when
// several groups fit alike, naming their places.
StatusOr<BackboneGroup> FindBackbone(const std::vector<StateDictShapes>& dicts,
                                     const BackboneWish& wish);

}  // namespace facegate
