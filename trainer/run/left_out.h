#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Photos that are not to be used, by their names in a file.
class LeaveOutList {
 public:
  // A name in each line, as a photo is called or as its path below `root` (where that is empty: the
  // folder of the file, or the current one). An empty path: nothing is left out.
  static StatusOr<LeaveOutList> Read(const std::string& path, const std::string& root);

  // Counts the lines that name a photo of a set.
  bool Contains(const std::string& name);
  size_t lines() const { return lines_.size(); }
  // Lists those that named no photo so far.
  std::vector<std::string> Unmatched() const;

 private:
  std::vector<std::string> lines_;
  std::vector<bool> matched_;  // of each line
  // The lines of each way to write a name: a list may name a photo more than once.
  std::unordered_multimap<std::string, size_t> places_;
};

}  // namespace facegate
