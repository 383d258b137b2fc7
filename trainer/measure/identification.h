#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/verification.h"

// 1:N figures: whom each probe finds in a gallery.
namespace facegate {

// Positions in an EmbeddingSet. People are numbered.
struct IdentificationProtocol {
  struct Probe {
    size_t photo = 0;
    size_t person = 0;  // index in `gallery`
  };
  std::vector<size_t> gallery;    // the enrolled photo of each person
  std::vector<Probe> probes;      // other photos of enrolled people
  std::vector<size_t> strangers;  // photos of people who are not enrolled
};

// Enrols the first photo, in name order, of each person (PersonOf() a photo) who has `least` or
// more photos; his others are probes, and people with a single photo are strangers.
// kInvalidArgument when nobody has `least` photos, or `least` is below 2.
StatusOr<IdentificationProtocol> FirstPhotoProtocol(const EmbeddingSet& set, size_t least = 2);

struct OpenSetRate {
  double fpir = 0.0;       // asked for
  double threshold = 0.0;  // found above it
  Share tpir;              // probes whose person ranks first, above the threshold; FNIR = 1 - TPIR
};

// The ranks of all probes, computed once; costs (probes + strangers) · gallery dot products, which
// `threads` threads share, for 0 as many as there are cores.
class IdentificationScores {
 public:
  static IdentificationScores Compute(const EmbeddingSet& set,
                                      const IdentificationProtocol& protocol, int threads = 0) {
    return Compute(set, set, protocol, threads);
  }
  // Enrolled are the photos of one set, probes and strangers those at the same places of the other.
  static IdentificationScores Compute(const EmbeddingSet& enrolled, const EmbeddingSet& seen,
                                      const IdentificationProtocol& protocol, int threads = 0);

  // Probes whose person is among the `rank` best; equal scores rank in the gallery's order. Without
  // the face of a probe or of its person it is at no rank. A point of the CMC curve.
  Share AtRank(size_t rank) const;
  size_t HitsAtRank(size_t rank) const;
  // k = floor(fpir · strangers); the threshold is the (k+1)-th highest of the strangers' best
  // scores. kInvalidArgument without strangers, or unless 0 <= fpir < 1.
  StatusOr<OpenSetRate> AtFpir(double fpir) const;

 private:
  std::vector<size_t> ranks_;      // of each probe's person, from 1; the largest number: none
  std::vector<double> scores_;     // of each probe with its own person
  std::vector<double> strangers_;  // best score of each, descending
};

}  // namespace facegate
