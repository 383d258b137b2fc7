#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "trainer/measure/judged_pairs.h"
#include "trainer/measure/person_resampling.h"
#include "trainer/measure/verification.h"

namespace facegate {

// Error rates of some pairs at one threshold; intervals by person.
struct PairRates {
  size_t genuine = 0;   // pairs
  size_t impostor = 0;  // pairs of two people
  Share fnmr{};         // TAR = 1 - FNMR
  Share fmr{};
};

// Returns the rates of the pairs that `belongs` takes. A match lies above `threshold`.
PairRates RatesOf(std::span<const JudgedPair> pairs, std::span<const size_t> person_of_photo,
                  const std::function<bool(const JudgedPair&)>& belongs, double threshold,
                  const PersonResampling& resampling);

}  // namespace facegate
