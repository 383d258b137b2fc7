#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Two photos, by name, and whether they show one person.
struct FacePair {
  std::string first;
  std::string second;
  bool same = false;
  bool operator==(const FacePair&) const = default;
};

// Pairs in the order of their file, and into how many folds of consecutive pairs they are cut.
struct PairList {
  std::vector<FacePair> pairs;
  size_t folds = 10;
};

// Reads a list of pairs. Line ends may be "\n" or "\r\n". Two forms are told apart by themselves:
//   LFW's      first line "FOLDS<tab>N"; then for each fold N lines "NAME<tab>I<tab>J" (one person)
//              and N lines "NAME<tab>I<tab>NAME<tab>J"; photos are NAME/NAME_%04d.jpg
//   a list     "PHOTO PHOTO 0|1" in each line, separated by blanks, tabs or commas; ten folds. With
//              tabs or commas names may hold blanks.
// kInvalidArgument names the file and the line.
StatusOr<PairList> ReadPairList(const std::string& path);

}  // namespace facegate
