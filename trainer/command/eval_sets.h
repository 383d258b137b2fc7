#pragma once

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/dataset.h"

namespace facegate {

// One set of pairs that is evaluated.
struct EvalSet {
  std::string name{};  // of its file: "lfw"
  PairList list{};
  // The pictures of a set that has its own, in the order of which list.pairs names them by
  // PictureName(); null where the list names photos.
  std::shared_ptr<const Dataset> pictures{};

  bool is_list() const { return pictures == nullptr; }
  std::string PictureName(size_t i) const;
};

// Opens each path as a set of its own: a set with pictures (trainer/photos/pair_set.h), or a list
// (pair_file.h). Lists with pairs of one kind alone, as LFW's matched and mismatched pairs are two
// files, cannot be measured alone and are read as one.
StatusOr<std::vector<EvalSet>> OpenEvalSets(const std::vector<std::string>& paths);

}  // namespace facegate
