#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace facegate {

// A cohort has kCohortSize identities at most; a collection with fewer than kLeastCohort has none.
inline constexpr size_t kCohortSize = 500;
inline constexpr size_t kLeastCohort = 100;

// Draws the identities of a collection that stand for all of it: those with the lowest draws, so
// that the order in which they came makes no difference.
class CohortDraw {
 public:
  // Takes all the memory that it will ever need.
  CohortDraw();

  // True when `identity` is among those who stand for all, now that it is there.
  bool Add(uint64_t identity);
  // True when it was one of them; Add() of the others then gives one of them its place.
  bool Remove(uint64_t identity);
  // Not full: another identity may have a place that has none.
  bool HasRoom() const { return drawn_.size() < kCohortSize; }
  size_t size() const { return drawn_.size(); }
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
  std::vector<Drawn> drawn_;  // ascending
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

  // There are at least kLeastCohort members.
  explicit Cohort(std::span<const Member> members);
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
  const size_t dimension_;
  std::vector<uint64_t> identities_;
  std::vector<float> vectors_;  // one after the other
  double usual_ = 0.0;          // the mean of Common() over the first kLeastCohort members
};

}  // namespace facegate
