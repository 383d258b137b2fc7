#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/run/data_options.h"

namespace facegate {

// Splits the photos of each identity into those that are trained on and those that are kept, to
// measure the training with: a share of them, or one fold. Which follows from the seed. All folds
// together have every photo once, but for identities with one photo, which are always trained on.
class PhotoSplit {
 public:
  explicit PhotoSplit(const DataOptions& options)
      : share_(options.holdout_share),
        folds_(options.holdout_folds_of_people ? 0 : static_cast<size_t>(options.holdout_folds)),
        fold_(static_cast<size_t>(options.holdout_fold)),
        seed_(options.seed) {}

  // Tells whether it keeps any.
  bool keeps() const { return share_ > 0.0 || folds_ > 0; }
  // Moves the photos of an identity that are kept to the front, and returns how many they are: not
  // all. For every identity once, in the order of their labels.
  size_t KeptFirst(uint32_t label, std::vector<size_t>& own);
  // Says what the folds are; nothing where there are none.
  std::optional<std::string> FoldNote() const;

 private:
  size_t ShareFirst(uint32_t label, std::vector<size_t>& own) const;
  size_t FoldFirst(uint32_t label, std::vector<size_t>& own);

  const double share_;
  const size_t folds_;  // 0: none of photos
  const size_t fold_;
  const uint64_t seed_;
  size_t dealt_ = 0;   // photos, to folds
  size_t few_ = 0;     // identities with fewer photos than folds
  size_t single_ = 0;  // identities with one photo
};

}  // namespace facegate
