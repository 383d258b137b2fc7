#pragma once

#include <string>
#include <vector>

#include "trainer/measure/decision_counts.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/person_resampling.h"
#include "trainer/measure/photo_quality.h"

namespace facegate {

// Tells how often strangers come out as one person when their photos are bad in the same way.
struct StrangerRow {
  std::string degradation;
  DecisionCounts ungated{};    // of all faces that were found
  DecisionCounts gated{};      // of those that are fit to be compared
  Share false_matches{};       // of `gated`, among all pairs; resampled by person
  AcquisitionFigures probe{};  // of the photos
};

// All pairs of photos of different people. A match reaches above `threshold`.
StrangerRow CountStrangers(std::string degradation, const EmbeddingSet& photos,
                           const PhotoQualities& qualities, const QualityLimits& limits,
                           double threshold, const PersonResampling& resampling);

}  // namespace facegate
