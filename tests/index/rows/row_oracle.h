#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "index/rows/vector_index.h"
#include "tests/support/status_matchers.h"

namespace facegate {

struct OracleRow {
  uint64_t group = 0;
  uint64_t template_id = 0;
  std::vector<float> vector;
  VectorIndex::Slot slot;
};

// The definition: every row is scored, each group keeps its best, all are sorted. A score that is
// no number comes last.
inline std::vector<IndexMatch> FullScan(const std::vector<OracleRow>& rows,
                                        std::span<const float> query, size_t k) {
  const auto is_better = [](const IndexMatch& a, const IndexMatch& b) {
    const auto rank = [](float cosine) { return std::isnan(cosine) ? -INFINITY : cosine; };
    if (std::isnan(a.cosine) != std::isnan(b.cosine)) return std::isnan(b.cosine);
    if (rank(a.cosine) != rank(b.cosine)) return rank(a.cosine) > rank(b.cosine);
    return a.template_id < b.template_id;
  };
  std::map<uint64_t, IndexMatch> best;
  for (const OracleRow& row : rows) {
    const IndexMatch match{row.group, row.template_id, CosineScore(query, row.vector)};
    const auto [place, is_new] = best.try_emplace(row.group, match);
    if (!is_new && is_better(match, place->second)) place->second = match;
  }
  std::vector<IndexMatch> answer;
  answer.reserve(best.size());
  for (const auto& [group, match] : best) answer.push_back(match);
  std::sort(answer.begin(), answer.end(), is_better);
  if (answer.size() > k) answer.resize(k);
  return answer;
}

inline void ExpectSame(const std::vector<IndexMatch>& found,
                       const std::vector<IndexMatch>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(found[i].template_id, expected[i].template_id) << "rank " << i;
    ASSERT_EQ(found[i].group, expected[i].group) << "rank " << i;
    ASSERT_EQ(std::bit_cast<uint32_t>(found[i].cosine), std::bit_cast<uint32_t>(expected[i].cosine))
        << "rank " << i;
  }
}

// An index and the same rows beside it.
class OracleIndex {
 public:
  explicit OracleIndex(std::unique_ptr<VectorIndex> index) : index_(std::move(index)) {}

  void Add(uint64_t group, std::span<const float> vector) {
    const uint64_t id = next_id_++;
    EXPECT_THAT(index_->Reserve(1), IsOk());
    rows_.push_back({group, id, {vector.begin(), vector.end()}, index_->Add(group, id, vector)});
  }
  void RemoveAt(size_t place) {
    index_->Remove(rows_[place].slot);
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  // Moves rows from where a share was removed, as whoever keeps slots does; how many moved.
  size_t Move(double least_removed, uint64_t removed_until = 0) {
    size_t moved = 0;
    for (;;) {
      auto move = index_->BeginMove(least_removed, removed_until);
      EXPECT_THAT(move, IsOk());
      if (!move.ok() || *move == nullptr) return moved;
      EXPECT_THAT((*move)->Copy(), IsOk());
      EXPECT_THAT(index_->TakeOver(**move), IsOk());
      EndMove(**move);
      moved += (*move)->moved().size();
    }
  }
  void EndMove(VectorIndex::RowMove& move) {
    std::map<uint64_t, VectorIndex::Slot> places;
    for (const VectorIndex::Slot slot : move.moved()) {
      const auto label = index_->LabelOf(slot);
      if (label.has_value()) places[label->template_id] = slot;
    }
    for (OracleRow& row : rows_) {
      const auto place = places.find(row.template_id);
      if (place != places.end()) row.slot = place->second;
    }
    index_->EndMove(move);
  }
  void SetGroupAt(size_t place, uint64_t group) {
    index_->SetGroup(rows_[place].slot, group);
    rows_[place].group = group;
  }
  // What is kept under its slot is each row itself.
  void ExpectRowsInPlace() const {
    for (const OracleRow& row : rows_) {
      const std::span<const float> kept = index_->Vector(row.slot);
      ASSERT_TRUE(std::equal(kept.begin(), kept.end(), row.vector.begin(), row.vector.end()))
          << row.template_id;
    }
  }
  void ExpectExact(std::span<const float> query) const {
    for (const size_t k : {size_t{1}, size_t{2}, size_t{10}, size_t{100}, rows_.size() + 5}) {
      ExpectExact(query, k);
    }
  }
  void ExpectExact(std::span<const float> query, size_t k) const {
    const auto found = index_->Search(query, k);
    ASSERT_THAT(found, IsOk());
    SCOPED_TRACE(k);
    ExpectSame(*found, FullScan(rows_, query, k));
    EXPECT_EQ(index_->size(), rows_.size());
  }
  void ExpectExact(const std::vector<std::vector<float>>& queries, size_t k) const {
    const std::vector<std::span<const float>> spans(queries.begin(), queries.end());
    const auto found = index_->Search(spans, k);
    ASSERT_THAT(found, IsOk());
    ASSERT_EQ(found->size(), queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      ExpectSame((*found)[i], FullScan(rows_, queries[i], k));
    }
  }
  const std::vector<OracleRow>& rows() const { return rows_; }
  VectorIndex& index() { return *index_; }

 private:
  std::unique_ptr<VectorIndex> index_;
  std::vector<OracleRow> rows_;
  uint64_t next_id_ = 1;
};

}  // namespace facegate
