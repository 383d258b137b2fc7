#include "face/decide/false_match_table.h"

#include <algorithm>

namespace facegate {
namespace {

// Values at each level; what is added at a level counts for all below it once Sum() was called.
class LevelSums {
 public:
  void Add(size_t level, double value) { values_[level] += value; }
  // After this call at(k) is what was added above level k.
  void Sum() {
    for (size_t level = kScoreLevels; level-- > 0;) values_[level] += values_[level + 1];
  }
  double at(size_t threshold) const { return values_[threshold + 1]; }

 private:
  std::vector<double> values_ = std::vector<double>(kScoreLevels + 2, 0.0);
};

// A comparison of one of two people with the other, and what it weighs in the pair's share.
struct Comparison {
  MatchedRow row;
  double weight = 0.0;
};

class FalseMatchCounter {
 public:
  FalseMatchCounter(const ScoreMatrix& matrix, const RowsOfPeople& photos, uint16_t floor)
      : matrix_(matrix), photos_(photos), floor_(floor), of_person_(matrix.people) {}

  StatusOr<FalseMatchCounts> Count(const StopCheck& stop) {
    for (size_t i = 0; i < matrix_.people; ++i) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      for (size_t j = i + 1; j < matrix_.people; ++j) AddPair(i, j);
    }
    shares_.Sum();
    squares_.Sum();
    pairs_.Sum();
    for (LevelSums& one : of_person_) one.Sum();
    std::stable_sort(
        matched_.pairs.begin(), matched_.pairs.end(),
        [](const MatchedPair& a, const MatchedPair& b) { return a.highest > b.highest; });
    return FalseMatchCounts{.rows = Rows(), .matched = std::move(matched_)};
  }

 private:
  void Collect(size_t person, size_t other) {
    const std::span<const uint32_t> rows = photos_.of(person);
    const double weight = 0.5 / static_cast<double>(rows.size());
    for (const uint32_t row : rows) {
      comparisons_.push_back({{.row = row, .level = matrix_.at(row, other)}, weight});
    }
  }

  void AddPair(size_t i, size_t j) {
    comparisons_.clear();
    Collect(i, j);
    Collect(j, i);
    std::sort(comparisons_.begin(), comparisons_.end(),
              [](const Comparison& a, const Comparison& b) { return a.row.level > b.row.level; });
    double share = 0.0;
    for (const Comparison& one : comparisons_) {
      const double before = share * share;
      share += one.weight;
      shares_.Add(one.row.level, one.weight);
      squares_.Add(one.row.level, share * share - before);
      of_person_[i].Add(one.row.level, one.weight);
      of_person_[j].Add(one.row.level, one.weight);
    }
    const uint16_t highest = comparisons_.front().row.level;
    pairs_.Add(highest, 1.0);
    if (highest <= floor_) return;
    MatchedPair pair{.first = static_cast<uint32_t>(i),
                     .second = static_cast<uint32_t>(j),
                     .highest = highest,
                     .begin = matched_.rows.size(),
                     .end = 0};
    for (const Comparison& one : comparisons_) {
      if (one.row.level > floor_) matched_.rows.push_back(one.row);
    }
    pair.end = matched_.rows.size();
    matched_.pairs.push_back(pair);
  }

  FalseMatchRow RowAt(size_t threshold) const {
    const auto people = static_cast<double>(matrix_.people);
    const double all = people * (people - 1.0) / 2.0;
    FalseMatchRow row{.threshold = ThresholdOfLevel(threshold),
                      .pairs = static_cast<uint64_t>(pairs_.at(threshold))};
    if (row.pairs == 0) return row;
    const double rate = shares_.at(threshold) / all;
    const double pair_variance = std::max(0.0, squares_.at(threshold) / all - rate * rate);
    double spread = 0.0;
    for (const LevelSums& one : of_person_) {
      const double off = one.at(threshold) / (people - 1.0) - rate;
      spread += off * off;
    }
    // The mean over his pairs that was counted for a person has the spread of these pairs, too.
    const double person_variance =
        std::max(0.0, spread / (people - 1.0) - pair_variance / (people - 1.0));
    row.rate = RoundedNumber(rate);
    row.person_variance = RoundedNumber(person_variance / (rate * rate));
    row.pair_variance = RoundedNumber(pair_variance / (rate * rate));
    return row;
  }

  std::vector<FalseMatchRow> Rows() const {
    RowChoice<FalseMatchRow> choice(true);
    for (size_t threshold = 0; threshold <= kScoreLevels; ++threshold) {
      const FalseMatchRow row = RowAt(threshold);
      choice.Add(row);
      if (row.rate == 0.0) break;
    }
    return choice.Take();
  }

  const ScoreMatrix& matrix_;
  const RowsOfPeople& photos_;
  const uint16_t floor_;
  LevelSums shares_;
  LevelSums squares_;
  LevelSums pairs_;
  std::vector<LevelSums> of_person_;
  std::vector<Comparison> comparisons_;
  MatchedPairs matched_;
};

}  // namespace

RowsOfPeople::RowsOfPeople(const ScoreMatrix& matrix)
    : begin(matrix.people + 1, 0), order(matrix.rows()) {
  for (const uint32_t person : matrix.person_of_row) ++begin[person + 1];
  for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<uint32_t> next(begin.begin(), begin.end() - 1);
  for (size_t row = 0; row < matrix.rows(); ++row) {
    order[next[matrix.person_of_row[row]]++] = static_cast<uint32_t>(row);
  }
}

StatusOr<FalseMatchCounts> CountFalseMatches(const ScoreMatrix& matrix, const RowsOfPeople& photos,
                                             uint16_t floor, const StopCheck& stop) {
  return FalseMatchCounter(matrix, photos, floor).Count(stop);
}

std::vector<FalseNonMatchRow> CountFalseNonMatches(std::span<const GenuineScore> scores,
                                                   size_t people) {
  std::vector<LevelSums> at_or_above(people);
  std::vector<double> pairs(people, 0.0);
  for (const GenuineScore& one : scores) {
    at_or_above[one.person].Add(LevelOfScore(one.score), 1.0);
    pairs[one.person] += 1.0;
  }
  for (LevelSums& one : at_or_above) one.Sum();
  if (scores.empty()) return {};
  RowChoice<FalseNonMatchRow> choice(false);
  for (size_t threshold = 0; threshold <= kScoreLevels; ++threshold) {
    double sum = 0.0;
    double squares = 0.0;
    double count = 0.0;
    for (size_t person = 0; person < people; ++person) {
      if (pairs[person] == 0.0) continue;
      const double share = 1.0 - at_or_above[person].at(threshold) / pairs[person];
      sum += share;
      squares += share * share;
      count += 1.0;
    }
    const double rate = sum / count;
    choice.Add({.threshold = ThresholdOfLevel(threshold),
                .rate = RoundedNumber(rate),
                .person_variance = RoundedNumber(std::max(0.0, squares / count - rate * rate))});
    if (rate == 1.0) break;
  }
  return choice.Take();
}

}  // namespace facegate
