#pragma once

#include <cstddef>
#include <functional>
#include <optional>
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
  std::vector<std::string> remarks{};  // how the lists were read, a line each
};

// Reads a list of pairs. See ReadListText() and ForEachRow() for encodings, line ends and quotes;
// fields are separated by tabs, commas, semicolons or blanks. Two forms are told apart by their
// rows:
//   LFW's      "NAME I J" (one person) and "NAME I NAME J" (two); photos are NAME/NAME_%04d.jpg. A
//              first line "FOLDS N" or "N" announces N pairs of each kind (in each fold); it may be
//              absent, or be a header (Kaggle's pairs.csv, matchpairs..., mismatchpairs...)
//   a list     "PHOTO PHOTO 0|1" in each line, or "0|1 PHOTO PHOTO"; other columns may stand
//              between where a header names them. For 0 and 1 also -1 and 1, False and True, no and
//              yes, different and same. A column of the very name "label", "same", "is_same",
//              "match", "target" or "y" comes before "same_gender" and the like; a remark names the
//              choice
// Where no folds are announced there are ten, and never more than pairs. Where all
// names are Windows paths, "\" becomes "/". kInvalidArgument names the file and the line,
// or what a file of another kind is.
StatusOr<PairList> ReadPairList(const std::string& path);

// One list after the other (LFW's matched and mismatched pairs are two files); of several the folds
// are ten, or as many as pairs.
StatusOr<PairList> ReadPairLists(const std::vector<std::string>& paths);

// Photos of a list that could not be found.
struct MissingPairPhotos {
  std::vector<std::string> photos{};  // each once, in the order of the list
  size_t names = 0;                   // photos that the list names, each once
  size_t pairs = 0;                   // pairs that need a missing one
};
// Which photos are not there by `exists`, which is asked once for each.
MissingPairPhotos FindMissing(const PairList& list,
                              const std::function<bool(const std::string&)>& exists);
// Leaves out the pairs that need one of `missing`; there are no more folds than pairs then.
void LeaveOutPairs(const std::vector<std::string>& missing, PairList& list);

// kInvalidArgument where no figures can be made of the list: with fewer than two pairs or folds, or
// pairs of one kind alone. To be asked before photos are embedded.
Status CheckMeasurable(const PairList& list);

}  // namespace facegate
