#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/eval/decision_counts.h"
#include "trainer/eval/embedding_set.h"
#include "trainer/eval/person_resampling.h"

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

// The failures among some photos. Photos of one person hang together: the interval is by person
// (see PersonResampling).
struct AcquisitionFigures {
  AcquisitionCounts counts{};
  Share failures{};
};

struct AcquisitionRates {
  QualityLimits limits{};
  AcquisitionFigures enrol{};  // failures to enrol
  AcquisitionFigures probe{};  // failures to acquire
};
// Of the photos at places `photos` in a set.
AcquisitionRates CountAcquisitions(const PhotoQualities& qualities,
                                   std::span<const size_t> person_of_photo,
                                   std::span<const size_t> photos, const QualityLimits& limits,
                                   const PersonResampling& resampling);

}  // namespace facegate
