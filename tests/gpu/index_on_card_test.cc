#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "index/rows/card/card_search.h"
#include "index/rows/exact_index.h"
#include "tests/gpu/face_rows.h"
#include "tests/gpu/tested_card.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/status_matchers.h"

// An index that asks a card finds what one on the CPU finds, to the bit.
namespace facegate {
namespace {

constexpr size_t kSize = 512;

// An index that asks the card, and one that does not.
class IndexOnCardTest : public OnCardTest {
 protected:
  void SetUp() override {
    OnCardTest::SetUp();
    if (card_ == nullptr) return;
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        search_, CardSearch::Start(std::move(card_), {.budget = uint64_t{6} << 30}));
    ASSERT_THAT(index_->SetFinder(search_->MakeFinder(kSize)), IsOk());
  }

  void Add(uint64_t group, std::span<const float> vector) {
    slots_.push_back({index_->Add(group, next_id_, vector), plain_->Add(group, next_id_, vector)});
    ++next_id_;
  }
  void Reserve(size_t rows) {
    ASSERT_THAT(index_->Reserve(rows), IsOk());
    ASSERT_THAT(plain_->Reserve(rows), IsOk());
  }
  void Fill(size_t rows, const FaceRows& faces) {
    Reserve(rows);
    constexpr size_t kAtOnce = 1 << 16;
    std::vector<float> vectors(std::min(rows, kAtOnce) * kSize);
    const auto row = [&](size_t n) { return std::span(vectors).subspan(n * kSize, kSize); };
    for (size_t first = 0; first < rows; first += kAtOnce) {
      const size_t count = std::min(kAtOnce, rows - first);
      InThreads(count, 256, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) faces.Make(first + i, row(i));
      });
      for (size_t i = 0; i < count; ++i) Add(FaceRows::PersonOf(first + i), row(i));
    }
  }
  void RemoveAt(size_t place) {
    index_->Remove(slots_[place].first);
    plain_->Remove(slots_[place].second);
    slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  // Until what the index has is on the card.
  void Settle() {
    ASSERT_THAT(index_->BeginMove(2.0), IsOk());  // moves nothing, and tells the finder
    search_->AwaitIdle();
  }
  void ExpectEqual(std::span<const std::vector<float>> probes, size_t k) {
    std::vector<std::span<const float>> queries(probes.begin(), probes.end());
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, index_->Search(queries, k));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto expected, plain_->Search(queries, k));
    for (size_t i = 0; i < queries.size(); ++i) {
      SCOPED_TRACE(fmt::format("query {} of {}", i, queries.size()));
      ExpectSame(found[i], expected[i]);
    }
  }
  static std::vector<std::vector<float>> Probes(const FaceRows& faces, size_t count) {
    std::vector<std::vector<float>> probes;
    for (size_t i = 0; i < count; ++i) probes.push_back(faces.Probe(3 * i + 1));
    return probes;
  }

  const std::unique_ptr<VectorIndex> plain_ = MakeExactIndex(kSize);
  std::unique_ptr<CardSearch> search_;
  const std::unique_ptr<VectorIndex> index_ = MakeExactIndex(kSize);
  std::vector<std::pair<VectorIndex::Slot, VectorIndex::Slot>> slots_;
  uint64_t next_id_ = 1;
};

TEST_F(IndexOnCardTest, FindsAmongAHundredThousandRowsWhatTheCpuFinds) {
  const FaceRows faces(kSize, 0.5, 1);
  Fill(100'000, faces);
  Settle();
  EXPECT_EQ(search_->counts().rows, 100'000u);
  const auto probes = Probes(faces, 100);
  for (const size_t k : {1, 10, 100}) ExpectEqual(probes, k);
  for (const auto& probe : Probes(faces, 10)) ExpectEqual(std::span(&probe, 1), 5);
  EXPECT_EQ(index_->counts().found, 310u);
}

TEST_F(IndexOnCardTest, FindsAmongAMillionRowsWhatTheCpuFinds) {
  if (IsStandIn()) GTEST_SKIP() << "the stand-in takes too long";
  const FaceRows faces(kSize, 0.5, 2);
  Fill(1'000'000, faces);
  Settle();
  EXPECT_EQ(search_->counts().rows, 1'000'000u);
  const auto probes = Probes(faces, 64);
  for (const size_t k : {1, 10}) ExpectEqual(probes, k);
  ExpectEqual(std::span(probes).first(1), 10);
  EXPECT_EQ(index_->counts().found, 129u);
}

TEST_F(IndexOnCardTest, DoesNotFindRowsThatWereRemoved) {
  const FaceRows faces(kSize, 0.5, 3);
  Fill(20'000, faces);
  Settle();
  // Of the first people one face each, and of others both.
  for (size_t place = 0; place < 500; ++place) RemoveAt(place);
  for (size_t i = 0; i < 500; ++i) RemoveAt(10'000);
  std::vector<std::vector<float>> probes;
  for (uint64_t person = 1; person < 12'000; person += 60) probes.push_back(faces.Probe(person));
  ExpectEqual(probes, 5);
  Settle();
  ExpectEqual(probes, 5);
  EXPECT_GT(index_->counts().found, 300u);
}

TEST_F(IndexOnCardTest, FindsWhatWasAddedSince) {
  const FaceRows faces(kSize, 0.5, 4);
  Fill(20'000, faces);
  Settle();
  const FaceRows others(kSize, 0.5, 5);
  Fill(1000, others);
  const auto probes = Probes(others, 50);
  ExpectEqual(probes, 5);
  Settle();
  EXPECT_EQ(search_->counts().rows, 21'000u);
  ExpectEqual(probes, 5);
}

TEST_F(IndexOnCardTest, FindsTheFirstOfManyEqualRows) {
  const FaceRows faces(kSize, 0.5, 6);
  Reserve(30'000);
  std::vector<float> vector(kSize);
  for (size_t i = 0; i < 30'000; ++i) {
    faces.Make(i % 3000, vector);
    Add(i / 10 + 1, vector);
  }
  Settle();
  ExpectEqual(Probes(faces, 20), 30);
}

// In half precision many of them cannot be told apart.
TEST_F(IndexOnCardTest, FindsTheBestOfAClusterThatLiesTogether) {
  const FaceRows faces(kSize, 0.999, 7);
  Reserve(20'000);
  for (uint64_t face = 0; face < 20'000; ++face) {
    // All of one person, around whom they lie.
    std::vector<float> vector = faces.Probe(1);
    const std::vector<float> noise = FaceRows(kSize, 0.5, face + 100).Probe(1);
    float norm = 0.0f;
    for (size_t i = 0; i < kSize; ++i) {
      vector[i] += 0.0316f * noise[i];
      norm += vector[i] * vector[i];
    }
    for (float& value : vector) value /= std::sqrt(norm);
    Add(face / 2 + 1, vector);
  }
  Settle();
  ExpectEqual(Probes(faces, 3), 10);
  ExpectEqual(Probes(FaceRows(kSize, 0.5, 8), 3), 10);
}

TEST_F(IndexOnCardTest, LeavesToTheCpuWhatItCannotProve) {
  const std::vector<float> twin = FaceRows(kSize, 0.5, 9).Probe(1);
  Reserve(100'000);
  for (uint64_t i = 0; i < 100'000; ++i) Add(i + 1, twin);
  Settle();
  ExpectEqual(std::span(&twin, 1), 10);
  EXPECT_EQ(index_->counts().found, 0u);
  EXPECT_FALSE(search_->counts().has_failed);
}

}  // namespace
}  // namespace facegate
