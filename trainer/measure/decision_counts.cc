#include "trainer/measure/decision_counts.h"

namespace facegate {

void DecisionCounts::Add(Acquisition first, Acquisition second, double cosine, double threshold) {
  if (first == Acquisition::kNoFace || second == Acquisition::kNoFace) {
    ++no_face;
  } else if (first == Acquisition::kBelowQuality || second == Acquisition::kBelowQuality) {
    ++inconclusive;
  } else if (cosine >= threshold) {
    ++match;
  } else {
    ++no_match;
  }
}

double DecisionCounts::ShareOfAll(size_t count) const {
  return total() == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(total());
}

void AcquisitionCounts::Add(Acquisition acquisition) {
  switch (acquisition) {
    case Acquisition::kNoFace:
      ++no_face;
      break;
    case Acquisition::kBelowQuality:
      ++below_quality;
      break;
    case Acquisition::kUsable:
      ++usable;
      break;
  }
}

Share AcquisitionCounts::failure_rate() const { return ShareOf(below_quality + no_face, total()); }

}  // namespace facegate
