#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/judged_pairs.h"
#include "trainer/measure/pair_rates.h"
#include "trainer/measure/person_resampling.h"
#include "trainer/measure/photo_quality.h"

// Error-versus-discard characteristics (ISO/IEC 29794-1): whether a quality says which photos lead
// to errors.
namespace facegate {

struct ErrorAtDiscard {
  double discarded = 0.0;      // share of the photos, those of the lowest quality
  double least_quality = 0.0;  // of the photos that stay
  PairRates rates{};           // of the pairs that stay
};

struct ErrorDiscardCurve {
  double far = 0.0;        // asked for, of the pairs whose photos both have a face
  double threshold = 0.0;  // accepted above it; the same at each point
  std::vector<ErrorAtDiscard> points{};
  // Mean FNMR over shares from 0 to 20 %, by the trapezoidal rule, over FNMR without discarding: 1
  // where the quality tells nothing, less where it helps. 0 without errors.
  double relative_area = 0.0;
};

// A curve for each of `fars`. Photos without a face are left out: they are failures to acquire.
// kInvalidArgument as ScoreDistribution gives it. Stops early where fewer than 2 pairs of a kind
// would stay.
StatusOr<std::vector<ErrorDiscardCurve>> MakeDiscardCurves(std::span<const JudgedPair> pairs,
                                                           std::span<const size_t> person_of_photo,
                                                           const PhotoQualities& qualities,
                                                           std::span<const double> fars,
                                                           const PersonResampling& resampling);

}  // namespace facegate
