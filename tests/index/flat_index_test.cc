#include "index/flat_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

struct Row {
  uint64_t group = 0;
  uint64_t template_id = 0;
  Embedding embedding;
  VectorIndex::Slot slot;
};

// The definition: every row is scored, each group keeps its best, all are sorted.
std::vector<IndexMatch> FullScan(const std::vector<Row>& rows, const Embedding& query, size_t k) {
  std::map<uint64_t, IndexMatch> best;
  for (const Row& row : rows) {
    const float cosine = CosineScore(query.values(), row.embedding.values());
    const auto [place, is_new] =
        best.try_emplace(row.group, IndexMatch{row.group, row.template_id, cosine});
    IndexMatch& match = place->second;
    if (cosine > match.cosine || (cosine == match.cosine && row.template_id < match.template_id)) {
      match = {row.group, row.template_id, cosine};
    }
  }
  std::vector<IndexMatch> answer;
  answer.reserve(best.size());
  for (const auto& [group, match] : best) answer.push_back(match);
  std::sort(answer.begin(), answer.end(), [](const IndexMatch& a, const IndexMatch& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.template_id < b.template_id;
  });
  if (answer.size() > k) answer.resize(k);
  return answer;
}

// An index and the same rows beside it.
class OracleIndex {
 public:
  explicit OracleIndex(size_t size) : index_(MakeFlatIndex(size)) {}

  void Add(uint64_t group, const Embedding& embedding) {
    const uint64_t id = next_id_++;
    EXPECT_THAT(index_->Reserve(1), IsOk());
    rows_.push_back({group, id, embedding, index_->Add(group, id, embedding.values())});
  }
  void RemoveAt(size_t place) {
    index_->Remove(rows_[place].slot);
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  void ExpectExact(const Embedding& query) const {
    for (const size_t k : {size_t{1}, size_t{2}, size_t{10}, size_t{100}, rows_.size() + 5}) {
      const auto found = index_->Search(query.values(), k);
      ASSERT_THAT(found, IsOk());
      const std::vector<IndexMatch> expected = FullScan(rows_, query, k);
      ASSERT_EQ(found->size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ((*found)[i].template_id, expected[i].template_id) << "rank " << i << " of " << k;
        ASSERT_EQ((*found)[i].group, expected[i].group);
        ASSERT_EQ(std::bit_cast<uint32_t>((*found)[i].cosine),
                  std::bit_cast<uint32_t>(expected[i].cosine));
      }
    }
    EXPECT_EQ(index_->size(), rows_.size());
  }
  const std::vector<Row>& rows() const { return rows_; }
  VectorIndex& index() { return *index_; }

 private:
  std::unique_ptr<VectorIndex> index_;
  std::vector<Row> rows_;
  uint64_t next_id_ = 1;
};

class FlatIndexTest : public ::testing::TestWithParam<size_t> {
 protected:
  Embedding Random() { return RandomEmbedding(random_, GetParam()); }
  Embedding Near(const Embedding& centre, float spread) {
    return RandomEmbeddingNear(random_, centre, spread);
  }
  static Embedding Opposite(const Embedding& embedding) {
    std::vector<float> values(embedding.values().begin(), embedding.values().end());
    for (float& value : values) value = -value;
    return UnitOf(values);
  }

  std::mt19937_64 random_{99};
};

INSTANTIATE_TEST_SUITE_P(Sizes, FlatIndexTest, ::testing::Values(1, 2, 3, 8, 12, 64, 128, 512));

TEST_P(FlatIndexTest, EqualsFullScanOnRandomVectors) {
  OracleIndex oracle(GetParam());
  for (uint64_t i = 0; i < 1500; ++i) oracle.Add(i + 1, Random());
  for (int round = 0; round < 5; ++round) oracle.ExpectExact(Random());
  oracle.ExpectExact(oracle.rows()[700].embedding);
}

TEST_P(FlatIndexTest, EqualsFullScanOnManyTemplatesOfAGroup) {
  OracleIndex oracle(GetParam());
  for (uint64_t group = 1; group <= 20; ++group) {
    const Embedding centre = Random();
    for (int i = 0; i < 60; ++i) oracle.Add(group, Near(centre, 0.3f));
  }
  for (int round = 0; round < 5; ++round) {
    oracle.ExpectExact(Near(oracle.rows()[random_() % 1200].embedding, 0.3f));
  }
}

// Clusters so tight that float scores cannot tell the rows apart.
TEST_P(FlatIndexTest, EqualsFullScanWhereFloatErrorExceedsTheDifferences) {
  OracleIndex oracle(GetParam());
  const Embedding centre = Random();
  for (uint64_t i = 0; i < 800; ++i) oracle.Add(i % 300 + 1, Near(centre, 1e-4f));
  oracle.ExpectExact(centre);
  oracle.ExpectExact(Near(centre, 1e-4f));
  oracle.ExpectExact(Near(centre, 1.0f));
}

TEST_P(FlatIndexTest, GivesTiesToTheLowerTemplate) {
  OracleIndex oracle(GetParam());
  const Embedding twin = Random();
  for (uint64_t i = 0; i < 300; ++i) {
    // Equal vectors within groups and between them, not in the order of groups.
    oracle.Add(1 + (i * 37) % 50, i % 3 == 0 ? Random() : twin);
  }
  oracle.ExpectExact(twin);
  oracle.ExpectExact(Random());
}

TEST_P(FlatIndexTest, EqualsFullScanWhereAllScoresAreNegative) {
  OracleIndex oracle(GetParam());
  const Embedding centre = Random();
  for (uint64_t i = 0; i < 400; ++i) oracle.Add(i % 150 + 1, Near(centre, 0.2f));
  // Removed rows are zeros, and score higher than every row that is there.
  for (int i = 0; i < 200; ++i) oracle.RemoveAt(random_() % oracle.rows().size());
  oracle.ExpectExact(Opposite(centre));
}

TEST_P(FlatIndexTest, EqualsFullScanAmidChanges) {
  OracleIndex oracle(GetParam());
  for (int round = 0; round < 3000; ++round) {
    if (random_() % 5 < 3 || oracle.rows().empty()) {
      oracle.Add(random_() % 200 + 1, Random());
    } else {
      oracle.RemoveAt(random_() % oracle.rows().size());
    }
    if (round % 500 == 499) oracle.ExpectExact(Random());
  }
  while (!oracle.rows().empty()) oracle.RemoveAt(oracle.rows().size() - 1);
  oracle.ExpectExact(Random());
}

TEST(FlatIndexRowsTest, CrossesSegmentBoundaries) {
  std::mt19937_64 random(1);
  OracleIndex oracle(4);
  // More than 64 + 256 + 1024 + 4096 + 16384 rows.
  for (uint64_t i = 0; i < 22'000; ++i) oracle.Add(i / 2 + 1, RandomEmbedding(random, 4));
  oracle.ExpectExact(RandomEmbedding(random, 4));
}

TEST(FlatIndexRowsTest, KeepsVectorsInPlaceAndErasesThemOnRemoval) {
  std::mt19937_64 random(1);
  const auto index = MakeFlatIndex(8);
  const Embedding first = RandomEmbedding(random, 8);
  ASSERT_THAT(index->Reserve(1), IsOk());
  const VectorIndex::Slot slot = index->Add(1, 1, first.values());
  const float* place = index->Vector(slot).data();
  for (uint64_t id = 2; id < 2000; ++id) {
    ASSERT_THAT(index->Reserve(1), IsOk());
    index->Add(id, id, RandomEmbedding(random, 8).values());
  }
  EXPECT_EQ(index->Vector(slot).data(), place);
  EXPECT_TRUE(std::equal(first.values().begin(), first.values().end(), place));
  index->Remove(slot);
  EXPECT_TRUE(std::all_of(place, place + 8, [](float value) { return value == 0.0f; }));
  ASSERT_THAT(index->Reserve(1), IsOk());
  EXPECT_EQ(index->Add(3000, 3000, first.values()), slot);
}

TEST(FlatIndexRowsTest, CountsReservations) {
  const auto index = MakeFlatIndex(4);
  EXPECT_FALSE(index->TryReserve(1));
  ASSERT_THAT(index->Reserve(60), IsOk());
  EXPECT_TRUE(index->TryReserve(4));
  EXPECT_FALSE(index->TryReserve(1));
  index->Release(30);
  EXPECT_TRUE(index->TryReserve(30));
  EXPECT_FALSE(index->TryReserve(1));
  ASSERT_THAT(index->Reserve(1), IsOk());
  EXPECT_TRUE(index->TryReserve(255));
  EXPECT_FALSE(index->TryReserve(1));
}

TEST(FlatIndexRowsTest, FindsNothingInNothing) {
  std::mt19937_64 random(1);
  const auto index = MakeFlatIndex(4);
  const Embedding query = RandomEmbedding(random, 4);
  EXPECT_THAT(*index->Search(query.values(), 3), ::testing::IsEmpty());
  EXPECT_THAT(*index->Search(query.values(), 0), ::testing::IsEmpty());
}

// A scan asks in blocks, and so does the scoring of many rows that tie.
class SearchStopTest : public ::testing::Test {
 protected:
  static constexpr size_t kDimension = 512;
  static constexpr size_t kRows = 20'000;

  SearchStopTest() {
    FACEGATE_CHECK(index_->Reserve(kRows).ok());
    for (uint64_t id = 1; id <= kRows; ++id) index_->Add(id, id, query_.values());
  }
  // Returns how often a search for all asks; it is told to stop at the question `stop_at`.
  StatusOr<int> Search(int stop_at) {
    int asked = 0;
    const StopCheck stop = [&] {
      asked += 1;
      return asked == stop_at ? Refuse(Reason::kDeadline, "as told") : OkStatus();
    };
    const auto found = index_->Search(query_.values(), kRows, stop);
    if (!found.ok()) {
      EXPECT_EQ(asked, stop_at) << "it asks no more";
      return found.status();
    }
    EXPECT_EQ(found->size(), kRows);
    return asked;
  }

  std::mt19937_64 random_{5};
  Embedding query_ = RandomEmbedding(random_, kDimension);
  std::unique_ptr<VectorIndex> index_ = MakeFlatIndex(kDimension);
};

TEST_F(SearchStopTest, AsksForEachBlockOfTheScanAndOfTheScoring) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const int asked, Search(-1));
  EXPECT_GE(asked, 40);
}

TEST_F(SearchStopTest, EndsWhereverItIsToldTo) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const int asked, Search(-1));
  for (const int stop_at : {1, 2, asked / 2, asked}) {
    EXPECT_THAT(Search(stop_at), RefusedWith(Reason::kDeadline)) << stop_at;
  }
}

}  // namespace
}  // namespace facegate
