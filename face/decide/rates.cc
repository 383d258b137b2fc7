#include "face/decide/rates.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace facegate {
namespace {

// 95 % of a normal distribution lie within 1.96 standard deviations. The variances are estimates
// themselves: on splits of real people 1.96 hold 94 %, and 2.1 hold 95 to 97 %.
constexpr double kDeviations = 2.1;

// The quantile at `z` standard deviations of a gamma distribution with this mean and relative
// variance (Wilson and Hilferty): what a rate of few events by people who differ is spread like.
double GammaQuantile(double mean, double relative_variance, double z) {
  const double root = 1.0 - relative_variance / 9.0 + z * std::sqrt(relative_variance) / 3.0;
  return root <= 0.0 ? 0.0 : mean * root * root * root;
}

double Between(double a, double b, double share) { return a + (b - a) * share; }

double LogBetween(double a, double b, double share) {
  return a > 0.0 && b > 0.0 ? std::exp(Between(std::log(a), std::log(b), share)) : a;
}

// The place of a threshold in a table: in row `row` or `share` of the way from it to the next.
struct Place {
  size_t row = 0;
  double share = 0.0;
};

template <typename Row>
Place PlaceOf(const std::vector<Row>& rows, double threshold) {
  const auto above = std::upper_bound(rows.begin(), rows.end(), threshold,
                                      [](double t, const Row& row) { return t < row.threshold; });
  if (above == rows.begin()) return {};
  const auto row = static_cast<size_t>(above - rows.begin()) - 1;
  if (above == rows.end()) return {.row = row, .share = 0.0};
  const double low = rows[row].threshold;
  return {.row = row, .share = (threshold - low) / (above->threshold - low)};
}

struct FalseMatchPoint {
  double rate = 0.0;
  double person_variance = 0.0;
  double pair_variance = 0.0;
};

FalseMatchPoint FalseMatchAt(const Calibration& calibration, double threshold) {
  const auto& rows = calibration.false_match;
  const Place place = PlaceOf(rows, threshold);
  const FalseMatchRow& low = rows[place.row];
  const FalseMatchRow& high = rows[std::min(place.row + 1, rows.size() - 1)];
  // Towards the first row without any pair nothing is known but the rate before it.
  const double share = high.rate > 0.0 ? place.share : 0.0;
  return {.rate = LogBetween(low.rate, high.rate, share),
          .person_variance = Between(low.person_variance, high.person_variance, share),
          .pair_variance = LogBetween(low.pair_variance, high.pair_variance, share)};
}

// Returns the variance of the mean over all pairs of so many people, divided by the square of the
// rate.
double PersonPart(const FalseMatchPoint& at, double people) {
  return at.person_variance * 4.0 * (people - 2.0) / (people * (people - 1.0));
}
double PairPart(const FalseMatchPoint& at, double people) {
  return at.pair_variance * 2.0 / (people * (people - 1.0));
}

double PeopleOf(uint64_t wanted, uint64_t otherwise) {
  return static_cast<double>(std::max<uint64_t>(wanted == 0 ? otherwise : wanted, 2));
}

// Says how far a rate of searches is known, on the scale of -log(1 - rate), on which what the
// people of a gallery add up to is a sum.
struct SearchPoint {
  double hazard = 0.0;
  double estimate_variance = 0.0;  // divided by the square of the hazard
  double gallery_variance = 0.0;   // the same
};

double Hazard(double rate) { return -std::log1p(-std::min(rate, 1.0 - 1e-9)); }
double RateOf(double hazard) { return -std::expm1(-hazard); }

// This leads from the square of the rate to that of the hazard: d hazard = d rate / (1 - rate).
// Where nearly every search finds somebody, variances are those of a rate of 95 %.
constexpr double kMostHazard = 3.0;
double HazardScale(double hazard) {
  hazard = std::min(hazard, kMostHazard);
  const double rate = RateOf(hazard);
  const double scale = rate / ((1.0 - rate) * hazard);
  return scale * scale;
}

SearchPoint ByFormula(const FalseMatchPoint& at, double people, double identities) {
  return {.hazard = identities * Hazard(at.rate),
          .estimate_variance = PersonPart(at, people) + PairPart(at, people),
          .gallery_variance = at.person_variance / identities};
}

SearchPoint InTable(const Calibration& calibration, const GalleryTable& table, double threshold) {
  const auto& rows = table.rows;
  const FalseMatchPoint match = FalseMatchAt(calibration, threshold);
  const auto people = static_cast<double>(calibration.people);
  const auto identities = static_cast<double>(table.identities);
  SearchPoint point = ByFormula(match, people, identities);
  const Place place = PlaceOf(rows, threshold);
  const GalleryRow& low = rows[place.row];
  const GalleryRow& high = rows[std::min(place.row + 1, rows.size() - 1)];
  const double share = high.rate > 0.0 ? place.share : 0.0;
  if (low.rate == 0.0) return point;
  // Below the table nearly every search finds somebody.
  if (threshold >= rows.front().threshold) {
    point.hazard = LogBetween(Hazard(low.rate), Hazard(high.rate), share);
  }
  const double scale = HazardScale(Hazard(LogBetween(low.rate, high.rate, share)));
  point.estimate_variance = scale * Between(low.estimate_variance, high.estimate_variance, share);
  point.gallery_variance = scale * Between(low.gallery_variance, high.gallery_variance, share);
  return point;
}

// Interpolates between the two tables around `identities`; a gallery of one is a comparison.
SearchPoint FromTables(const Calibration& calibration, double threshold, uint64_t identities) {
  const auto& tables = calibration.galleries;
  const auto above = std::find_if(tables.begin(), tables.end(), [&](const GalleryTable& table) {
    return table.identities >= identities;
  });
  const SearchPoint high = InTable(calibration, *above, threshold);
  if (above->identities == identities) return high;
  const bool first = above == tables.begin();
  const double low_size = first ? 1.0 : static_cast<double>((above - 1)->identities);
  const SearchPoint low = first ? ByFormula(FalseMatchAt(calibration, threshold),
                                            static_cast<double>(calibration.people), 1.0)
                                : InTable(calibration, *(above - 1), threshold);
  const double share = std::log(static_cast<double>(identities) / low_size) /
                       std::log(static_cast<double>(above->identities) / low_size);
  return {.hazard = LogBetween(low.hazard, high.hazard, share),
          .estimate_variance = Between(low.estimate_variance, high.estimate_variance, share),
          .gallery_variance = Between(low.gallery_variance, high.gallery_variance, share)};
}

// Tables begin below a rate of 60 %: above it, how much lower than the formula the rate may be is
// not known, and the lower bound is that of 59 %.
constexpr double kMostKnownHazard = 0.9;

// Returns by how much the formula may be too high for `identities`. The same people match again and
// again, so that a gallery has fewer searches with a match than matches; in the largest gallery of
// the tables the ratio of table and formula is known at the same rate, and a larger gallery, whose
// threshold is higher, has a smaller one: its logarithm grows with that of the size, and twice as
// much is allowed for, because people differ more the higher the threshold.
double FormulaRatio(const Calibration& calibration, double hazard, double identities) {
  if (calibration.galleries.empty()) return 0.0;
  const GalleryTable& table = calibration.galleries.back();
  const auto size = static_cast<double>(table.identities);
  for (const FalseMatchRow& row : calibration.false_match) {
    const double by_formula = size * Hazard(row.rate);
    if (by_formula > hazard) continue;
    if (row.rate == 0.0) break;
    const double ratio = InTable(calibration, table, row.threshold).hazard / by_formula;
    return std::pow(std::min(ratio, 1.0), 2.0 * std::log(identities) / std::log(size));
  }
  return 0.0;
}

double RuleOfThree(const Calibration& calibration) {
  return 3.0 / static_cast<double>(calibration.impostor_pairs);
}

}  // namespace

ErrorRate FalseMatchRateAt(const Calibration& calibration, double threshold,
                           uint64_t other_people) {
  const FalseMatchPoint at = FalseMatchAt(calibration, threshold);
  if (at.rate == 0.0) return {.rate = 0.0, .lower = 0.0, .upper = RuleOfThree(calibration)};
  const auto people = static_cast<double>(calibration.people);
  const double others = PeopleOf(other_people, calibration.people);
  const double person = PersonPart(at, people) + PersonPart(at, others);
  const double pair = PairPart(at, people) + PairPart(at, others);
  // The upper bound of a count is that of one more.
  const double one_more = at.rate + 1.0 / static_cast<double>(calibration.impostor_pairs);
  return {.rate = at.rate,
          .lower = GammaQuantile(at.rate, person + pair, -kDeviations),
          .upper = std::min(
              1.0, GammaQuantile(one_more, person + pair * at.rate / one_more, kDeviations))};
}

ErrorRate FalsePositiveRateAt(const Calibration& calibration, double threshold, uint64_t identities,
                              uint64_t strangers) {
  identities = std::max<uint64_t>(identities, 1);
  const auto people = static_cast<double>(calibration.people);
  const auto size = static_cast<double>(identities);
  const FalseMatchPoint match = FalseMatchAt(calibration, threshold);
  const bool by_formula = identities > std::max<uint64_t>(calibration.largest_gallery(), 1);
  if (match.rate == 0.0) {
    return {.rate = 0.0,
            .lower = 0.0,
            .upper = RateOf(size * Hazard(RuleOfThree(calibration))),
            .by_formula = by_formula};
  }
  const SearchPoint at = by_formula || identities == 1
                             ? ByFormula(match, people, size)
                             : FromTables(calibration, threshold, identities);
  const double rate = RateOf(at.hazard);
  const double probes =
      PeopleOf(strangers, calibration.people - std::min(identities, calibration.people / 2));
  // Given the gallery, strangers come independently.
  const double part_rate = RateOf(std::min(at.hazard, kMostHazard));
  const double strangers_part = HazardScale(at.hazard) * (1.0 - part_rate) / (part_rate * probes);
  const double variance = at.estimate_variance + at.gallery_variance + strangers_part;
  const double one_more =
      at.hazard * (1.0 + 1.0 / (match.rate * static_cast<double>(calibration.impostor_pairs)));
  const double known = std::min(at.hazard, kMostKnownHazard);
  const double lower_ratio = by_formula ? FormulaRatio(calibration, known, size) : 1.0;
  return {
      .rate = rate,
      .lower = RateOf(lower_ratio * GammaQuantile(known, variance, -kDeviations)),
      .upper = at.hazard >= kMostHazard
                   ? 1.0
                   : RateOf(GammaQuantile(one_more, variance * at.hazard / one_more, kDeviations)),
      .by_formula = by_formula};
}

ErrorRate FalseNonMatchRateAt(const Calibration& calibration, double threshold,
                              uint64_t other_people) {
  const auto& rows = calibration.false_non_match;
  if (rows.empty()) return {};
  const auto people = static_cast<double>(calibration.genuine_people);
  if (threshold < rows.front().threshold) return {.rate = 0.0, .lower = 0.0, .upper = 3.0 / people};
  const Place place = PlaceOf(rows, threshold);
  const FalseNonMatchRow& low = rows[place.row];
  const FalseNonMatchRow& high = rows[std::min(place.row + 1, rows.size() - 1)];
  const double rate = Between(low.rate, high.rate, place.share);
  if (rate == 0.0) return {.rate = 0.0, .lower = 0.0, .upper = std::min(1.0, 3.0 / people)};
  const double spread = Between(low.person_variance, high.person_variance, place.share) /
                        (rate * rate) *
                        (1.0 / people + 1.0 / PeopleOf(other_people, calibration.genuine_people));
  const double one_more = rate + 1.0 / people;
  return {.rate = rate,
          .lower = GammaQuantile(rate, spread, -kDeviations),
          .upper = std::min(1.0, GammaQuantile(one_more, spread * rate / one_more, kDeviations))};
}

}  // namespace facegate
