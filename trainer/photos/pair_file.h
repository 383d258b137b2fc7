#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/pair_list.h"

namespace facegate {

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
// Where no folds are announced there are ten, and never more than pairs. Where all names are
// Windows paths, "\" becomes "/". kInvalidArgument names the file and the line, or what a file of
// another kind is.
StatusOr<PairList> ReadPairList(const std::string& path);

// Several lists as one (LFW's matched and mismatched pairs are two files), in ten folds, or as many
// as pairs, each of which has its share of each list: what is measured must not depend on whether
// pairs of the two kinds lie in one file or in two. One alone stays as it is.
PairList JoinPairLists(std::vector<PairList> lists);
StatusOr<PairList> ReadPairLists(const std::vector<std::string>& paths);

}  // namespace facegate
