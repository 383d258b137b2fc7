#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// A cohort has kCohortSize identities at most; a collection with fewer than kLeastCohort has none.
inline constexpr size_t kCohortSize = 500;
inline constexpr size_t kLeastCohort = 100;

// Draws the identities of a collection that stand for all of it: those with the lowest draws, so
// that the order in which they came makes no difference. The next ones wait in a reserve for the
// place of one who goes.
class CohortDraw {
 public:
  static constexpr size_t kReserve = 4 * kCohortSize;  // with the members

  // Takes all the memory that it will ever need.
  CohortDraw();

  // True when `identity` is among those who stand for all, now that it is there.
  bool Add(uint64_t identity);
  // True when it was one of them.
  bool Remove(uint64_t identity);
  // The reserve is used up, and there are others: all are to be added again after Clear().
  bool IsUsedUp() const { return !knows_all_ && drawn_.size() < kCohortSize; }
  void Clear();
  size_t size() const { return std::min(drawn_.size(), kCohortSize); }  // of the members
  std::vector<uint64_t> Members() const;

 private:
  struct Drawn {
    uint64_t draw = 0;
    uint64_t identity = 0;
    bool operator<(const Drawn& other) const {
      return draw != other.draw ? draw < other.draw : identity < other.identity;
    }
  };
  std::vector<Drawn>::iterator PlaceOf(uint64_t identity);
  bool IsMember(std::vector<Drawn>::const_iterator place) const {
    return static_cast<size_t>(place - drawn_.begin()) < kCohortSize;
  }
  std::vector<Drawn> drawn_;  // the lowest of all, ascending
  bool knows_all_ = true;     // nobody was left out
};

// Normalises scores by identities that stand for all of a collection. What a face has in common
// with those who are most like it tells how easily it is taken for somebody else. What two faces
// have more of it than is usual is taken off their cosine: adaptive symmetric score normalisation
// (Matejka et al., "Analysis of Score Normalization in Multilingual Speaker Recognition", 2017), of
// the means alone, and downwards alone, so that no pair reaches a threshold that its cosine does
// not reach. Immutable and thread-safe; the vectors are wiped at its end.
class Cohort {
 public:
  struct Member {
    uint64_t identity = 0;
    std::span<const float> vector;  // of length 1
  };

  // There are at least kLeastCohort members. Takes milliseconds; what `stop` says when it says so.
  static StatusOr<std::shared_ptr<const Cohort>> Make(std::span<const Member> members,
                                                      const StopCheck& stop = {});
  ~Cohort();
  Cohort(const Cohort&) = delete;
  Cohort& operator=(const Cohort&) = delete;

  // The cosines of a face with the members.
  std::vector<float> Scores(std::span<const float> vector) const;
  // Returns what the face has in common with others than `identity`: the mean of the highest tenth
  // of `scores`.
  double Common(std::span<const float> scores, uint64_t identity) const;
  // The cosine of two faces of whom the second is `identity`'s, less what they have in common with
  // others than `identity`, on average, beyond what is usual. At most `cosine`.
  float Normalised(float cosine, std::span<const float> probe_scores, uint64_t identity,
                   std::span<const float> vector) const;

 private:
  explicit Cohort(std::span<const Member> members);

  const size_t dimension_;
  std::vector<uint64_t> identities_;
  std::vector<float> vectors_;  // one after the other
  double usual_ = 0.0;          // the mean of Common() over the first kLeastCohort members
};

}  // namespace facegate
