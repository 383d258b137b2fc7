#include "tests/support/calibration_split.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>

#include "face/decide/calibration_builder.h"

namespace facegate {
namespace {

std::vector<size_t> Shuffled(size_t people, uint64_t seed) {
  std::vector<size_t> order(people);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  for (size_t i = 0; i + 1 < people; ++i) std::swap(order[i], order[i + random() % (people - i)]);
  return order;
}

std::span<const uint32_t> Compared(const PeopleScores& scores, size_t person,
                                   ComparedPhotos compared) {
  const std::span<const uint32_t> photos(scores.photos(person));
  switch (compared) {
    case ComparedPhotos::kAll:
      return photos;
    case ComparedPhotos::kFirst:
      return photos.first(1);
    case ComparedPhotos::kAllButFirst:
      return photos.subspan(1);
  }
  return photos;
}

}  // namespace

PeopleScores::PeopleScores(const EmbeddingSet& set) {
  std::map<std::string, std::vector<uint32_t>> by_name;
  for (size_t i = 0; i < set.size(); ++i) {
    const std::string& name = set.names()[i];
    by_name[name.substr(0, name.find('/'))].push_back(static_cast<uint32_t>(i));
  }
  const size_t size = set.dimension();
  std::vector<float> enrolled;
  for (const auto& [name, photos] : by_name) {
    photos_.push_back(photos);
    for (const double value : set.row(photos.front())) {
      enrolled.push_back(static_cast<float>(value));
    }
  }
  scores_.resize(set.size() * people());
  for (size_t photo = 0; photo < set.size(); ++photo) {
    const std::vector<float> probe(set.row(photo).begin(), set.row(photo).end());
    for (size_t person = 0; person < people(); ++person) {
      const float* const other = enrolled.data() + person * size;
      float sum = 0.0F;
      for (size_t i = 0; i < size; ++i) sum += probe[i] * other[i];
      scores_[photo * people() + person] = sum;
    }
  }
}

StatusOr<Calibration> CalibrateOn(const PeopleScores& scores, const std::vector<size_t>& people,
                                  ComparedPhotos compared) {
  size_t photos = 0;
  for (const size_t person : people) photos += Compared(scores, person, compared).size();
  FACEGATE_ASSIGN_OR_RETURN(auto builder, CalibrationBuilder::Create(people.size(), photos));
  std::vector<float> row(people.size());
  for (size_t i = 0; i < people.size(); ++i) {
    for (const uint32_t photo : Compared(scores, people[i], compared)) {
      for (size_t j = 0; j < people.size(); ++j) row[j] = scores.Score(photo, people[j]);
      FACEGATE_RETURN_IF_ERROR(builder.AddProbe(i, row));
    }
  }
  return builder.Finish({.set = "half of the people",
                         .model_digest = std::string(64, 'a'),
                         .preprocessing_digest = std::string(64, 'b'),
                         .photos = photos});
}

double MeasureFmr(const PeopleScores& scores, const std::vector<size_t>& people, double threshold,
                  ComparedPhotos compared) {
  double sum = 0.0;
  for (const size_t one : people) {
    size_t matches = 0;
    const std::span<const uint32_t> photos = Compared(scores, one, compared);
    for (const uint32_t photo : photos) {
      for (const size_t other : people) {
        if (other != one && static_cast<double>(scores.Score(photo, other)) >= threshold) ++matches;
      }
    }
    sum += static_cast<double>(matches) / static_cast<double>(photos.size());
  }
  const auto count = static_cast<double>(people.size());
  return sum / (count * (count - 1.0));
}

double MeasureFpir(const PeopleScores& scores, const std::vector<size_t>& people, size_t identities,
                   double threshold, uint64_t seed) {
  std::mt19937_64 random(seed);
  size_t found = 0;
  for (size_t i = identities; i < people.size(); ++i) {
    const std::vector<uint32_t>& photos = scores.photos(people[i]);
    const uint32_t photo = photos[random() % photos.size()];
    float best = -1.0F;
    for (size_t j = 0; j < identities; ++j) best = std::max(best, scores.Score(photo, people[j]));
    if (static_cast<double>(best) >= threshold) ++found;
  }
  return static_cast<double>(found) / static_cast<double>(people.size() - identities);
}

double SplitResult::width() const {
  if (claimed.lower <= 0.0) return std::numeric_limits<double>::infinity();
  return std::max(claimed.upper / claimed.rate, claimed.rate / claimed.lower);
}

std::vector<size_t> PeopleWithSeveralPhotos(const PeopleScores& scores, size_t wanted,
                                            uint64_t seed) {
  std::vector<size_t> people;
  for (const size_t person : Shuffled(scores.people(), seed)) {
    if (people.size() < wanted && scores.photos(person).size() > 1) people.push_back(person);
  }
  return people;
}

StatusOr<std::vector<SplitResult>> RunSplit(const PeopleScores& scores,
                                            const std::vector<ClaimedPoint>& points,
                                            RateBound bound, uint64_t seed) {
  const std::vector<size_t> order = Shuffled(scores.people(), seed);
  const auto half = order.begin() + static_cast<ptrdiff_t>(order.size() / 2);
  FACEGATE_ASSIGN_OR_RETURN(const Calibration calibration,
                            CalibrateOn(scores, std::vector<size_t>(order.begin(), half)));
  const std::vector<size_t> others(half, order.end());
  std::vector<SplitResult> results;
  for (const ClaimedPoint& point : points) {
    FACEGATE_ASSIGN_OR_RETURN(const Threshold threshold,
                              ThresholdFor({.kind = point.kind, .value = point.wanted},
                                           &calibration, {.searched = point.identities}, bound));
    results.push_back({.threshold = threshold.min_cosine,
                       .claimed = *threshold.claimed,
                       .measured = point.kind == OperatingPointKind::kFmr
                                       ? MeasureFmr(scores, others, threshold.min_cosine)
                                       : MeasureFpir(scores, others, point.identities,
                                                     threshold.min_cosine, seed + 1)});
  }
  return results;
}

}  // namespace facegate
