#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/run/data_options.h"
#include "trainer/run/evaluation_set.h"

namespace facegate {

// Photos of people, and what the people are called.
struct People {
  std::shared_ptr<const Dataset> source;
  std::vector<std::string> names;           // of each label
  std::vector<std::vector<size_t>> photos;  // of each label, numbers in `source`
};

// True when people of this name in two sets are taken for one. A number names nobody.
bool NamesSomebody(const std::string& name);

// The people who are evaluated with instead of trained on.
struct HeldOut {
  std::optional<EvaluationSet> set;  // none where nobody is held out
  std::set<size_t> labels;           // not to be trained on: they, and others of the same name
  size_t namesakes = 0;              // of these, the others
};

// Chooses identities with two photos or more, no two of the same name, and pairs of their photos;
// who and which follows from the seed. Of folds of people, all such identities are in one of them.
// Pairs of one person are taken from all people in turn, so that those with many photos do not make
// most of them. kInvalidArgument names the option where there are too few people or pairs.
StatusOr<HeldOut> HoldOut(const People& people, const DataOptions& options);

}  // namespace facegate
