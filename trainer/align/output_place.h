#pragma once

#include <span>
#include <string>

#include "face/base/status.h"

namespace facegate {

// Where a run over photos writes to.
struct OutputPlace {
  std::string out{};         // as it was given
  bool is_pack = false;      // whether `out` is one
  std::string folder{};      // of the manifest and of its record; of the crops, too, without a pack
  std::string quarantine{};  // folder of photos that were dropped

  // An empty `quarantine` stands for OUT.quarantine.
  static OutputPlace Of(const std::string& out, const std::string& quarantine);
};

// kInvalidField for places that cannot be written to, and for those within a source, whose photos
// they would become. Without a quarantine (an empty one) only the rest is looked at.
Status CheckPlace(const OutputPlace& place, std::span<const std::string> sources);
// True where nothing is, or a folder in which a run has just begun.
bool IsUnused(const std::string& folder);
// kFailedPrecondition where something is there that no run began.
Status CheckUnused(const OutputPlace& place, bool use_quarantine);

}  // namespace facegate
