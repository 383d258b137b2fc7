#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/image/align.h"

namespace facegate {

// Says which photos a run uses.
struct DataOptions {
  std::vector<std::string> train{};       // see OpenPhotoSource(); identities of each its own
  std::vector<std::string> unlabelled{};  // the same, for the teacher alone
  std::string root{};                     // of the paths in lists; empty: the list's folder
  // A file with the name of a photo in each line, as facegate-train inspect --quarantine writes it;
  // see LeaveOutList.
  std::string leave_out{};
  AlignmentTemplate alignment = AlignmentTemplate::kArcFace112;  // of the crops
  // Pictures show more than a crop: their middle, so many pixels high, is scaled to one. 0: they
  // are crops.
  int64_t centre_crop = 0;
  double random_crop = 0.0;  // probability that training sees another part than the middle
  int64_t min_photos = 1;
  uint64_t seed = 1;  // of who is held out, and of the pairs

  // generated identities beside the real ones
  int64_t synthetic_identities = 0;
  int64_t synthetic_views = 20;
  uint64_t synthetic_seed = 1;

  // identities of `train` that are kept out of training, and the pairs made of their photos
  int64_t holdout_identities = 0;
  int64_t holdout_photos = 30;  // the most of each
  int64_t holdout_pairs = 6000;
  // of the photos of each identity that is trained on: kept from training, to measure the loss
  double holdout_share = 0.0;
  // Instead of the one or the other: one of so many folds of all photos, or of all people.
  int64_t holdout_folds = 0;
  int64_t holdout_fold = 0;  // below holdout_folds
  bool holdout_folds_of_people = false;

  // other sets of pairs, of aligned crops: lists, whose photos are below evaluate_photos, and sets
  // with pictures of their own (trainer/photos/pair_set.h)
  std::vector<std::string> evaluate_pairs{};
  std::string evaluate_photos{};
};

}  // namespace facegate
