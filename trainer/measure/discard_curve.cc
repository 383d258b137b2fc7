#include "trainer/measure/discard_curve.h"

#include <algorithm>
#include <cmath>

namespace facegate {
namespace {

constexpr double kShares[] = {0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5};
constexpr double kAreaEnd = 0.2;
constexpr size_t kLeastPairs = 2;

// Photos with a face that pairs need, the worst first.
std::vector<size_t> WorstFirst(std::span<const JudgedPair> pairs, const PhotoQualities& qualities) {
  std::vector<size_t> photos;
  for (const JudgedPair& pair : pairs) {
    photos.push_back(pair.first);
    photos.push_back(pair.second);
  }
  std::sort(photos.begin(), photos.end());
  photos.erase(std::unique(photos.begin(), photos.end()), photos.end());
  std::stable_sort(photos.begin(), photos.end(),
                   [&](size_t a, size_t b) { return qualities[a] < qualities[b]; });
  return photos;
}

std::vector<JudgedPair> Comparable(std::span<const JudgedPair> pairs,
                                   const PhotoQualities& qualities) {
  std::vector<JudgedPair> comparable;
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(comparable),
               [&](const JudgedPair& pair) {
                 return !std::isnan(qualities[pair.first]) && !std::isnan(qualities[pair.second]);
               });
  return comparable;
}

double RelativeArea(std::span<const ErrorAtDiscard> points) {
  if (points.empty() || points.front().rates.fnmr.value <= 0.0) return 0.0;
  double area = 0.0;
  double width = 0.0;
  for (size_t i = 1; i < points.size() && points[i].discarded <= kAreaEnd + 1e-9; ++i) {
    const double step = points[i].discarded - points[i - 1].discarded;
    area += step * (points[i].rates.fnmr.value + points[i - 1].rates.fnmr.value) / 2.0;
    width += step;
  }
  return width > 0.0 ? area / width / points.front().rates.fnmr.value : 1.0;
}

}  // namespace

StatusOr<std::vector<ErrorDiscardCurve>> MakeDiscardCurves(std::span<const JudgedPair> pairs,
                                                           std::span<const size_t> person_of_photo,
                                                           const PhotoQualities& qualities,
                                                           std::span<const double> fars,
                                                           const PersonResampling& resampling) {
  const std::vector<JudgedPair> comparable = Comparable(pairs, qualities);
  std::vector<ScoredPair> scored;
  scored.reserve(comparable.size());
  for (const JudgedPair& pair : comparable) {
    scored.push_back({.cosine = pair.cosine, .same = pair.same});
  }
  FACEGATE_ASSIGN_OR_RETURN(const ScoreDistribution scores, ScoreDistribution::Make(scored));
  const std::vector<size_t> photos = WorstFirst(comparable, qualities);
  std::vector<ErrorDiscardCurve> curves;
  for (const double far : fars) {
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(far));
    ErrorDiscardCurve curve{.far = far, .threshold = at.threshold, .points = {}};
    for (const double share : kShares) {
      const auto dropped = static_cast<size_t>(share * static_cast<double>(photos.size()));
      if (!curve.points.empty() && dropped == 0) continue;  // too few photos for this step
      std::vector<bool> stays(qualities.size(), true);
      for (size_t i = 0; i < dropped; ++i) stays[photos[i]] = false;
      const PairRates rates = RatesOf(
          comparable, person_of_photo,
          [&](const JudgedPair& pair) { return stays[pair.first] && stays[pair.second]; },
          at.threshold, resampling);
      if (rates.genuine < kLeastPairs || rates.impostor < kLeastPairs) break;
      curve.points.push_back(
          {.discarded = static_cast<double>(dropped) / static_cast<double>(photos.size()),
           .least_quality = qualities[photos[dropped]],
           .rates = rates});
    }
    curve.relative_area = RelativeArea(curve.points);
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace facegate
