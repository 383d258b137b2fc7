#include "trainer/measure/stranger_table.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "trainer/measure/judged_pairs.h"

namespace facegate {

StrangerRow CountStrangers(std::string degradation, const EmbeddingSet& photos,
                           const PhotoQualities& qualities, const QualityLimits& limits,
                           double threshold, const PersonResampling& resampling) {
  StrangerRow row{.degradation = std::move(degradation)};
  const PeopleOfPhotos people = NumberPeople(photos);
  // DecisionCounts take what reaches a threshold as a match, figures of sets what lies above it.
  const double least = std::nextafter(threshold, 2.0);
  std::vector<size_t> places(photos.size());
  std::iota(places.begin(), places.end(), size_t{0});
  row.probe = CountAcquisitions(qualities, people.person, places, limits, resampling).probe;
  std::vector<PersonTrial> trials;
  for (size_t i = 0; i < photos.size(); ++i) {
    const Acquisition first = AcquisitionOf(qualities[i], limits.probe);
    for (size_t j = 0; j < i; ++j) {
      if (people.person[i] == people.person[j]) continue;
      const Acquisition second = AcquisitionOf(qualities[j], limits.probe);
      const double cosine = photos.Score(i, j);
      row.ungated.Add(AcquisitionOf(qualities[i], 0.0), AcquisitionOf(qualities[j], 0.0), cosine,
                      least);
      const size_t before = row.gated.match;
      row.gated.Add(first, second, cosine, least);
      trials.push_back({.first = people.person[i],
                        .second = people.person[j],
                        .error = row.gated.match > before});
    }
  }
  row.false_matches = resampling.ErrorShare(trials);
  return row;
}

}  // namespace facegate
