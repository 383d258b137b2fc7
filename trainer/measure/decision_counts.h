#pragma once

#include <cstddef>

#include "trainer/measure/verification.h"

namespace facegate {

// Tells how far a photo comes on its way to a comparison.
enum class Acquisition {
  kNoFace,
  kBelowQuality,  // there is a face, which is not fit to be compared
  kUsable,
};

// Counts what comparisons of pairs of photos answered.
struct DecisionCounts {
  size_t match = 0;
  size_t no_match = 0;
  size_t inconclusive = 0;  // a face of the two is not fit to be compared
  size_t no_face = 0;       // in at least one of the two

  // Counts one pair. The cosine is only looked at where both are usable; a match reaches the
  // threshold.
  void Add(Acquisition first, Acquisition second, double cosine, double threshold);

  size_t total() const { return match + no_match + inconclusive + no_face; }
  // The share of all pairs; 0 without any.
  double ShareOfAll(size_t count) const;
};

// Photos that give no comparable face: the failure-to-acquire rate of probes, or the
// failure-to-enrol rate of photos to enrol (ISO/IEC 19795-1).
struct AcquisitionCounts {
  size_t usable = 0;
  size_t below_quality = 0;
  size_t no_face = 0;

  void Add(Acquisition acquisition);
  size_t total() const { return usable + below_quality + no_face; }
  // The interval counts photos as independent: for one photo of each person.
  Share failure_rate() const;
};

}  // namespace facegate
