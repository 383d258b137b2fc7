#include "trainer/measure/pair_rates.h"

#include <vector>

namespace facegate {

PairRates RatesOf(std::span<const JudgedPair> pairs, std::span<const size_t> person_of_photo,
                  const std::function<bool(const JudgedPair&)>& belongs, double threshold,
                  const PersonResampling& resampling) {
  std::vector<PersonTrial> genuine;
  std::vector<PersonTrial> impostor;
  for (const JudgedPair& pair : pairs) {
    if (!belongs(pair)) continue;
    (pair.same ? genuine : impostor)
        .push_back({.first = person_of_photo[pair.first],
                    .second = person_of_photo[pair.second],
                    .error = (pair.cosine > threshold) != pair.same});
  }
  return {.genuine = genuine.size(),
          .impostor = impostor.size(),
          .fnmr = resampling.ErrorShare(genuine),
          .fmr = resampling.ErrorShare(impostor)};
}

}  // namespace facegate
