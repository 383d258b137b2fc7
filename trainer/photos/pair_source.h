#pragma once

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/pair_set.h"

namespace facegate {

// One set of pairs to evaluate with, as it was found.
struct PairSource {
  std::string name{};                // of its file, "lfw"; no two of a call have the same
  std::vector<std::string> paths{};  // more than one where lists were joined
  PairList list{};
  // The pictures of a set that has its own, which list.pairs names by PictureName(), and the
  // numbers of each pair; null and none where the list names photos.
  std::shared_ptr<const Dataset> pictures{};
  std::vector<PicturePair> numbers{};

  bool is_list() const { return pictures == nullptr; }
  std::string PictureName(size_t i) const;
};

// Opens each path as a set of its own: a set with pictures (pair_set.h), or a list (pair_file.h).
// Lists with pairs of one kind alone, as LFW's matched and mismatched pairs are two files, cannot
// be measured alone and are read as one, which comes last. Of sets of one name the second is called
// "lfw-2". Errors are those of the two headers.
StatusOr<std::vector<PairSource>> OpenPairSources(const std::vector<std::string>& paths);

}  // namespace facegate
