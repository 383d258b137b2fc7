#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace facegate {

// The thresholds at which scores are counted: -0.25 to 1 in steps of 1/256, which a float holds
// exactly. A score's level is the number of thresholds that it comes up to.
inline constexpr size_t kScoreLevels = 321;

double ThresholdOfLevel(size_t level);  // 0..kScoreLevels; the last lies above every cosine
uint16_t LevelOfScore(float score);

// The levels of the scores of photos (rows) with people as they are enrolled (columns).
struct ScoreMatrix {
  size_t people = 0;
  std::vector<uint32_t> person_of_row;
  std::vector<uint16_t> levels;  // row after row

  size_t rows() const { return person_of_row.size(); }
  uint16_t at(size_t row, size_t person) const { return levels[row * people + person]; }
};

// A photo of one of a pair of people, and the level of its score with the other one.
struct MatchedRow {
  uint32_t row = 0;
  uint16_t level = 0;
};

// Two people, and the comparisons between them that come above some level.
struct MatchedPair {
  uint32_t first = 0;
  uint32_t second = 0;
  uint16_t highest = 0;
  std::vector<MatchedRow>::size_type begin = 0;  // of their rows in MatchedPairs::rows
  std::vector<MatchedRow>::size_type end = 0;
};

struct MatchedPairs {
  std::vector<MatchedPair> pairs;  // the highest first
  std::vector<MatchedRow> rows;
};

// Chooses the rows of a table: one where the rate has changed by a tenth since the last one, and,
// where it changes by so much within one level, the row before that too, so that a line between two
// rows never crosses a stretch without change. `falls`: rates descend.
template <typename Row>
class RowChoice {
 public:
  explicit RowChoice(bool falls) : falls_(falls) {}

  void Add(const Row& row) {
    if (!rows_.empty() && !Differ(rows_.back().rate, row.rate)) {
      before_ = row;
      return;
    }
    if (before_ && Differ(before_->rate, row.rate)) rows_.push_back(*before_);
    before_.reset();
    rows_.push_back(row);
  }
  bool empty() const { return rows_.empty(); }
  std::vector<Row> Take() {
    if (before_) rows_.push_back(*before_);
    return std::move(rows_);
  }

 private:
  static constexpr double kLeastChange = 1.1;

  bool Differ(double earlier, double later) const {
    return falls_ ? earlier > later && earlier >= later * kLeastChange
                  : later > earlier && later >= earlier * kLeastChange;
  }

  const bool falls_;
  std::vector<Row> rows_;
  std::optional<Row> before_;  // the last one that was not taken
};

// Rounds to five digits, so that a table is short as text.
double RoundedNumber(double value);

}  // namespace facegate
