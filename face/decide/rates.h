#pragma once

#include <cstdint>

#include "face/decide/calibration.h"

namespace facegate {

// An error rate as it may be claimed of people who are not in the calibration set: the estimate,
// and a prediction interval, in which the rate measured on another set lies with `confidence`. The
// interval holds for a set of as many people as the calibration's, drawn alike; it is wider than an
// interval for the rate of all people, because the people of the other set are chance as well.
struct ErrorRate {
  static constexpr double kConfidence = 0.95;

  double rate = 0.0;
  double lower = 0.0;
  double upper = 1.0;
  double confidence = kConfidence;
  // True for a false positive identification rate when the gallery is larger than those of the
  // tables, and the rate is 1 - (1 - FMR)^templates. The formula takes people as equally easy to
  // confuse; as they are not, the rate is rather lower. True for a false match rate when it is the
  // sum of those of several templates.
  bool by_formula = false;
};

// The rates at a threshold. Between rows of a table they are interpolated (logarithms of rates over
// the threshold); above the last one, where nothing was seen, the upper bound is 3 of the number of
// pairs of people (the rule of three). `other_people`: in the set that is judged; 0: as many as in
// the calibration.
ErrorRate FalseMatchRateAt(const Calibration& calibration, double threshold,
                           uint64_t other_people = 0);
// The rate of one gallery of `identities` people (1 at least), searched for photos of strangers: of
// `strangers` other people, one photo each (0: as many as the calibration's people who are not in
// the gallery, at least half of its people).
ErrorRate FalsePositiveRateAt(const Calibration& calibration, double threshold, uint64_t identities,
                              uint64_t strangers = 0);
// The rate of people with two photos or more. A calibration without any gives the interval 0..1.
ErrorRate FalseNonMatchRateAt(const Calibration& calibration, double threshold,
                              uint64_t other_people = 0);

}  // namespace facegate
