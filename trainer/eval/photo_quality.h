#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/eval/decision_counts.h"
#include "trainer/eval/embedding_set.h"

namespace facegate {

// How fit the photos of a set are to be compared, 0..1, in its order; NaN where there is no face.
using PhotoQualities = std::vector<double>;

// Reads a photo's name and its quality from each line, with tabs, commas, semicolons or blanks
// between; a first line that holds no number is a header. kInvalidArgument names the line;
// kNotFound names a photo of the set that the file lacks. Photos without a face in the set have no
// quality.
StatusOr<PhotoQualities> ReadQualities(const std::string& path, const EmbeddingSet& set);

// Least qualities of faces to be enrolled and compared, 0..1.
struct QualityLimits {
  double enrol = 0.0;
  double probe = 0.0;
};

Acquisition AcquisitionOf(double quality, double least);

// Over all photos of a set.
struct AcquisitionRates {
  QualityLimits limits{};
  AcquisitionCounts enrol{};  // its failure rate is that to enrol
  AcquisitionCounts probe{};  // its failure rate is that to acquire
};
AcquisitionRates CountAcquisitions(std::span<const double> qualities, const QualityLimits& limits);

}  // namespace facegate
