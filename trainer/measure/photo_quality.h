#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/decision_counts.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/person_resampling.h"

namespace facegate {

// Tells how fit the photos of a set are to be compared, 0..1, in its order; NaN where there is no
// face.
using PhotoQualities = std::vector<double>;

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
// Counts among the photos at places `photos` in a set.
AcquisitionRates CountAcquisitions(const PhotoQualities& qualities,
                                   std::span<const size_t> person_of_photo,
                                   std::span<const size_t> photos, const QualityLimits& limits,
                                   const PersonResampling& resampling);

}  // namespace facegate
