#include "face/decide/gallery_table.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace facegate {
namespace {

constexpr double kShareAboveFloor = 0.1;
constexpr double kHighestRate = 0.6;  // of a table's first row

// Returns the chance that none of `drawn` people, out of `population`, is one of those who match,
// by the number of these.
std::vector<double> ChancesOfNone(size_t population, size_t drawn) {
  std::vector<double> chances(population + 1, 0.0);
  chances[0] = 1.0;
  for (size_t matching = 0; matching + drawn < population; ++matching) {
    chances[matching + 1] = chances[matching] * static_cast<double>(population - matching - drawn) /
                            static_cast<double>(population - matching);
  }
  return chances;
}

// Counts for each photo how many people it matches at the threshold of each level.
class MatchCounts {
 public:
  explicit MatchCounts(const ScoreMatrix& matrix) : counts_(matrix.rows() * (kScoreLevels + 2), 0) {
    for (size_t row = 0; row < matrix.rows(); ++row) {
      uint32_t* const of_row = counts_.data() + row * (kScoreLevels + 2);
      for (size_t person = 0; person < matrix.people; ++person) {
        if (person != matrix.person_of_row[row]) ++of_row[matrix.at(row, person)];
      }
      for (size_t level = kScoreLevels + 1; level-- > 0;) of_row[level] += of_row[level + 1];
    }
  }
  uint32_t at(size_t row, size_t threshold) const {
    return counts_[row * (kScoreLevels + 2) + threshold + 1];
  }

 private:
  std::vector<uint32_t> counts_;
};

double Square(double value) { return value * value; }

// The sample variance.
double VarianceOf(const std::vector<double>& values) {
  double mean = 0.0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  double squares = 0.0;
  for (const double value : values) squares += Square(value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

// One table.
class GalleryCounter {
 public:
  GalleryCounter(const ScoreMatrix& matrix, const MatchedPairs& matched, const MatchCounts& counts,
                 const std::vector<double>& weights, size_t size)
      : matrix_(matrix),
        matched_(matched),
        counts_(counts),
        weights_(weights),
        size_(size),
        none_(ChancesOfNone(matrix.people - 1, size)),
        none_without_one_(ChancesOfNone(matrix.people - 2, size)),
        none_beside_one_(ChancesOfNone(matrix.people - 2, size - 1)) {}

  StatusOr<GalleryTable> Count(size_t floor, const StopCheck& stop) {
    RowChoice<GalleryRow> choice(true);
    for (size_t threshold = floor; threshold <= kScoreLevels; ++threshold) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const double rate = RateAt(threshold);
      if (choice.empty() && rate > kHighestRate) continue;
      choice.Add(RowAt(threshold, rate));
      if (rate == 0.0) break;
    }
    return GalleryTable{.identities = size_, .rows = choice.Take()};
  }

 private:
  double RateAt(size_t threshold) const {
    double sum = 0.0;
    for (size_t row = 0; row < matrix_.rows(); ++row) {
      sum += weights_[row] * (1.0 - none_[counts_.at(row, threshold)]);
    }
    return std::max(0.0, sum) / static_cast<double>(matrix_.people);
  }

  GalleryRow RowAt(size_t threshold, double rate) {
    GalleryRow result{.threshold = ThresholdOfLevel(threshold), .rate = RoundedNumber(rate)};
    if (rate == 0.0) return result;
    const auto people = static_cast<double>(matrix_.people);
    // The sum over strangers without each person, as stranger and as one of a gallery.
    without_.assign(matrix_.people, 0.0);
    // This is what each person as one of a gallery adds to the rate, and the part of that sum's
    // variance that comes from the photos which happened to be there.
    added_.assign(matrix_.people, 0.0);
    double chance = 0.0;
    double of_pairs = 0.0;
    for (size_t row = 0; row < matrix_.rows(); ++row) {
      without_[matrix_.person_of_row[row]] -=
          weights_[row] * (1.0 - none_without_one_[counts_.at(row, threshold)]);
    }
    for (const MatchedPair& pair : matched_.pairs) {
      if (pair.highest <= threshold) break;
      double change = 0.0;
      for (size_t i = pair.begin; i < pair.end; ++i) {
        const MatchedRow& match = matched_.rows[i];
        if (match.level <= threshold) continue;
        const uint32_t other =
            matrix_.person_of_row[match.row] == pair.first ? pair.second : pair.first;
        const uint32_t count = counts_.at(match.row, threshold);
        const double weight = weights_[match.row];
        without_[other] -= weight * (none_without_one_[count - 1] - none_without_one_[count]);
        const double alone = weight * none_beside_one_[count - 1] / people;
        added_[other] += alone;
        chance += Square(alone);
        change += weight * (none_[count - 1] - none_[count]);
      }
      of_pairs += Square(change / people);
    }
    for (double& one : without_) one /= people - 1.0;
    // The jackknife over people counts the variance of single pairs twice (Efron and Stein).
    const double jackknife = Square(people - 1.0) / people * VarianceOf(without_);
    const double between = std::max(0.0, VarianceOf(added_) - chance / people);
    result.estimate_variance =
        RoundedNumber(std::max(jackknife - of_pairs, of_pairs) / Square(rate));
    result.gallery_variance = RoundedNumber(static_cast<double>(size_) * between / Square(rate));
    return result;
  }

  const ScoreMatrix& matrix_;
  const MatchedPairs& matched_;
  const MatchCounts& counts_;
  const std::vector<double>& weights_;  // of the rows: those of a person have the sum 1
  const size_t size_;
  const std::vector<double> none_;
  const std::vector<double> none_without_one_;
  const std::vector<double> none_beside_one_;
  std::vector<double> without_;
  std::vector<double> added_;
};

std::vector<double> WeightsOf(const ScoreMatrix& matrix) {
  std::vector<double> photos(matrix.people, 0.0);
  for (const uint32_t person : matrix.person_of_row) photos[person] += 1.0;
  std::vector<double> weights;
  weights.reserve(matrix.rows());
  for (const uint32_t person : matrix.person_of_row) weights.push_back(1.0 / photos[person]);
  return weights;
}

}  // namespace

uint16_t FloorOfGalleries(const ScoreMatrix& matrix) {
  std::vector<uint64_t> counts(kScoreLevels + 1, 0);
  for (const uint16_t level : matrix.levels) ++counts[level];
  const double most = kShareAboveFloor * static_cast<double>(matrix.levels.size());
  uint64_t above = 0;
  size_t level = kScoreLevels;
  while (level > 0 && static_cast<double>(above + counts[level]) <= most) above += counts[level--];
  return static_cast<uint16_t>(level);
}

StatusOr<std::vector<GalleryTable>> MakeGalleryTables(const ScoreMatrix& matrix,
                                                      const MatchedPairs& matched,
                                                      const StopCheck& stop) {
  const MatchCounts counts(matrix);
  const std::vector<double> weights = WeightsOf(matrix);
  const uint16_t floor = FloorOfGalleries(matrix);
  std::vector<GalleryTable> tables;
  for (size_t decade = 10; decade <= matrix.people / 2; decade *= 10) {
    for (const size_t size : {decade, 2 * decade, 5 * decade}) {
      if (size > matrix.people / 2) break;
      FACEGATE_ASSIGN_OR_RETURN(
          GalleryTable table,
          GalleryCounter(matrix, matched, counts, weights, size).Count(floor, stop));
      if (table.rows.size() >= 2) tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace facegate
