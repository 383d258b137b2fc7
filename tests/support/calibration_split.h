#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/decide/operating_point.h"
#include "face/decide/rates.h"
#include "face/decide/threshold.h"
#include "trainer/measure/embedding_set.h"

namespace facegate {

// The scores of a set of photos whose folders name people: of each photo with the first photo of
// each person.
class PeopleScores {
 public:
  explicit PeopleScores(const EmbeddingSet& set);

  size_t people() const { return photos_.size(); }
  // Photos of a person, by their rows.
  const std::vector<uint32_t>& photos(size_t person) const { return photos_[person]; }
  float Score(uint32_t photo, size_t person) const { return scores_[photo * people() + person]; }

 private:
  std::vector<std::vector<uint32_t>> photos_;
  std::vector<float> scores_;
};

// Says which photos of each person are compared with the first photos of the others.
enum class ComparedPhotos { kAll, kFirst, kAllButFirst };

// Not of kAllButFirst, in which somebody may have none.
StatusOr<Calibration> CalibrateOn(const PeopleScores& scores, const std::vector<size_t>& people,
                                  ComparedPhotos compared = ComparedPhotos::kAll);

// The false match rate of people, counted anew: of each pair the share of the photos of the one
// that come to the threshold with the first photo of the other; the mean over pairs. Everybody has
// such photos.
double MeasureFmr(const PeopleScores& scores, const std::vector<size_t>& people, double threshold,
                  ComparedPhotos compared = ComparedPhotos::kAll);
// The first `identities` of `people` are enrolled with their first photo; one photo (`seed`
// chooses) of each of the others is searched for.
double MeasureFpir(const PeopleScores& scores, const std::vector<size_t>& people, size_t identities,
                   double threshold, uint64_t seed);

// The claim at a wanted rate, and what came out on the other half of the people.
struct ClaimedPoint {
  OperatingPointKind kind = OperatingPointKind::kFmr;
  double wanted = 0.0;
  uint64_t identities = 0;
};
struct SplitResult {
  double threshold = 0.0;
  ErrorRate claimed;
  double measured = 0.0;

  bool covered() const { return measured >= claimed.lower && measured <= claimed.upper; }
  // Tells how many times the estimate lies above the lower and below the upper bound, the larger
  // one.
  double width() const;
};

// `wanted` of the people who have two photos or more, drawn with a seed.
std::vector<size_t> PeopleWithSeveralPhotos(const PeopleScores& scores, size_t wanted,
                                            uint64_t seed);

// Splits the people into two halves, calibrates on the first and measures on the second.
StatusOr<std::vector<SplitResult>> RunSplit(const PeopleScores& scores,
                                            const std::vector<ClaimedPoint>& points,
                                            RateBound bound, uint64_t seed);

}  // namespace facegate
