#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/pair_list.h"

namespace facegate {

// Numbers the people of photos: PersonOf() each.
struct PeopleOfPhotos {
  std::vector<size_t> person;      // of each photo of the set
  std::vector<std::string> names;  // of each person
  size_t without_folder = 0;       // photos
};
PeopleOfPhotos NumberPeople(const EmbeddingSet& set);

// A pair of a list, its photos as places in the set, and its score.
struct JudgedPair {
  size_t first = 0;
  size_t second = 0;
  bool same = false;
  double cosine = 0.0;  // kNoScore where a photo has no face
};
// kNotFound names a photo without an embedding.
StatusOr<std::vector<JudgedPair>> JudgePairs(const PairList& list, const EmbeddingSet& set);

}  // namespace facegate
