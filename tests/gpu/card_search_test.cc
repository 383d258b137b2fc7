#include "index/rows/card_search.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "face/base/module.h"
#include "index/rows/exact_index.h"
#include "index/rows/half.h"
#include "index/rows/search_card.h"
#include "tests/gpu/face_rows.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/status_matchers.h"

// A search on a card finds what one on the CPU finds. FACEGATE_TEST_DEVICE says which card is
// tested, cuda:0 where it says nothing; with "cpu" the stand-in for one (stand_in_cuda.cc), which
// proves nothing of FAISS and a card, but all that the CPU does for them.
namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDimension = 512;
constexpr char kStandInModule[] = "gpu-stand-in-card";

std::string TestedDevice() {
  const char* given = std::getenv("FACEGATE_TEST_DEVICE");
  return given == nullptr ? "cuda:0" : given;
}

bool IsStandIn() { return TestedDevice() == "cpu"; }

int CardNumber() {
  const std::string device = TestedDevice();
  return IsStandIn() ? 0 : std::atoi(device.substr(device.find(':') + 1).c_str());
}

OpenSearchCard* EntryOf(const std::string& module) {
  const auto entry = OpenModule(module);
  EXPECT_THAT(entry, IsOk());
  return entry.ok() ? reinterpret_cast<OpenSearchCard*>(*entry) : nullptr;
}

// So many rows, one after the other.
std::vector<uint16_t> RandomHalves(size_t count, size_t dimension, uint64_t seed) {
  const FaceRows faces(dimension, 0.5, seed);
  std::vector<uint16_t> halves(count * dimension);
  InThreads(count, 256, [&](size_t begin, size_t end) {
    std::vector<float> vector(dimension);
    double residual = 0.0;
    for (size_t row = begin; row < end; ++row) {
      faces.Make(row, vector);
      RoundToHalves(vector, std::span(halves).subspan(row * dimension, dimension), residual);
    }
  });
  return halves;
}

// What real numbers give for each row.
std::vector<double> ProductsOf(std::span<const uint16_t> query, std::span<const uint16_t> rows) {
  std::vector<double> products(rows.size() / query.size());
  std::vector<float> values(query.size());
  std::transform(query.begin(), query.end(), values.begin(), FromHalf);
  InThreads(products.size(), 1024, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      double sum = 0.0;
      for (size_t i = 0; i < values.size(); ++i) {
        sum += static_cast<double>(values[i]) *
               static_cast<double>(FromHalf(rows[row * values.size() + i]));
      }
      products[row] = sum;
    }
  });
  return products;
}

// Rows on the card, and here.
struct CardPart {
  std::unique_ptr<SearchCard::Block> block;
  std::vector<uint16_t> halves;
};

class FaissCardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    OpenSearchCard* const open = EntryOf(IsStandIn() ? kStandInModule : kSearchCardModule);
    ASSERT_NE(open, nullptr);
    auto card = open(CardNumber());
    if (card.status().code() == StatusCode::kFailedPrecondition) {
      GTEST_SKIP() << "SKIPPED: no card: " << MessageOf(card.status());
    }
    ASSERT_THAT(card, IsOk());
    card_ = *std::move(card);
  }

  // A part of the first rows of a block that has room for more.
  void Put(std::vector<uint16_t> halves, size_t dimension) {
    auto block = card_->Allocate(halves.size() / dimension + 5, dimension);
    ASSERT_THAT(block, IsOk());
    ASSERT_THAT(card_->Write(**block, 0, halves), IsOk());
    parts_.push_back({.block = *std::move(block), .halves = std::move(halves)});
  }

  // Searches all parts, and compares the answers of some queries with products of real numbers.
  void ExpectBest(std::span<const uint16_t> queries, size_t dimension, size_t wanted) {
    std::vector<SearchCard::Part> parts;
    for (const CardPart& part : parts_) {
      parts.push_back({.block = part.block.get(), .rows = part.halves.size() / dimension});
    }
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto best,
                                  card_->Search(parts, queries, dimension, wanted));
    ASSERT_EQ(best.size(), parts.size());
    const size_t count = queries.size() / dimension;
    std::set<size_t> checked{0, count - 1, count / 2};
    for (size_t i = 0; i < parts.size(); ++i) {
      ASSERT_EQ(best[i].of_query, std::min(wanted, parts[i].rows));
      ASSERT_EQ(best[i].rows.size(), count * best[i].of_query);
      ASSERT_EQ(best[i].products.size(), count * best[i].of_query);
      for (const size_t query : checked) {
        SCOPED_TRACE(fmt::format("part {}, query {} of {}", i, query, count));
        const auto products =
            ProductsOf(queries.subspan(query * dimension, dimension), parts_[i].halves);
        ExpectBestOf(products, best[i], query, HalfDotErrorBound(dimension));
      }
    }
  }

  std::unique_ptr<SearchCard> card_;
  std::vector<CardPart> parts_;  // goes before the card

 private:
  static void ExpectBestOf(std::span<const double> products, const SearchCard::Best& best,
                           size_t query, double error) {
    const auto rows = std::span(best.rows).subspan(query * best.of_query, best.of_query);
    const auto found = std::span(best.products).subspan(query * best.of_query, best.of_query);
    std::vector<bool> is_found(products.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_LT(rows[i], products.size());
      ASSERT_FALSE(is_found[rows[i]]) << "row " << rows[i] << " twice";
      is_found[rows[i]] = true;
      ASSERT_NEAR(static_cast<double>(found[i]), products[rows[i]], error) << "rank " << i;
      ASSERT_LE(found[i], found[i == 0 ? 0 : i - 1]) << "rank " << i;
    }
    for (size_t row = 0; row < products.size(); ++row) {
      if (is_found[row]) continue;
      ASSERT_LE(products[row], static_cast<double>(found.back()) + error) << "row " << row;
    }
  }
};

TEST_F(FaissCardTest, FindsTheBestRowsOfEachPart) {
  for (const size_t rows : {size_t{1}, size_t{700}, size_t{4096}, size_t{40'001}}) {
    Put(RandomHalves(rows, kDimension, rows), kDimension);
  }
  const auto queries = RandomHalves(65, kDimension, 7);
  for (const size_t wanted : {1, 2, 64, 100, 500, 1000, 2048}) {
    for (const size_t count : {1, 3, 65}) {
      SCOPED_TRACE(fmt::format("{} rows for {} queries", wanted, count));
      ExpectBest(std::span(queries).first(count * kDimension), kDimension, wanted);
    }
  }
}

TEST_F(FaissCardTest, FindsTheBestRowsForAsManyQueriesAsThereMayBe) {
  Put(RandomHalves(50'000, kDimension, 1), kDimension);
  Put(RandomHalves(300, kDimension, 2), kDimension);
  const auto queries = RandomHalves(SearchCard::kMostQueries, kDimension, 3);
  for (const size_t wanted : {1, 64, 2048}) ExpectBest(queries, kDimension, wanted);
}

// More products than are in memory at once, of which the last tile has fewer rows than are wanted.
TEST_F(FaissCardTest, PutsTheBestOfTilesTogether) {
  constexpr size_t kShort = 16;
  Put(RandomHalves(3 * 131'072 + 900, kShort, 1), kShort);
  const auto queries = RandomHalves(600, kShort, 2);
  for (const size_t wanted : {1, 64, 1500}) ExpectBest(queries, kShort, wanted);
}

// One query's products are cut into slices.
TEST_F(FaissCardTest, PutsTheBestOfSlicesTogether) {
  constexpr size_t kShort = 24;
  Put(RandomHalves(1'000'003, kShort, 1), kShort);
  const auto queries = RandomHalves(8, kShort, 2);
  for (const size_t count : {1, 8}) {
    for (const size_t wanted : {1, 64, 300, 2048}) {
      SCOPED_TRACE(fmt::format("{} rows for {} queries", wanted, count));
      ExpectBest(std::span(queries).first(count * kShort), kShort, wanted);
    }
  }
}

TEST_F(FaissCardTest, TakesVectorsOfAnyLength) {
  for (const size_t dimension : {1, 7, 37, 128, 1000, 4096}) {
    SCOPED_TRACE(dimension);
    parts_.clear();
    Put(RandomHalves(5000, dimension, 1), dimension);
    const auto queries = RandomHalves(9, dimension, 2);
    ExpectBest(std::span(queries).first(dimension), dimension, 10);
    ExpectBest(queries, dimension, 10);
  }
}

// Halves below 2^-14 have fewer bits; a card that took them for 0 would be off by more than the
// bound.
TEST_F(FaissCardTest, MultipliesTheSmallestHalves) {
  std::vector<uint16_t> rows(100 * kDimension, 0x03ff);
  for (size_t row = 0; row < 100; ++row) rows[row * kDimension] = static_cast<uint16_t>(row);
  Put(rows, kDimension);
  std::vector<uint16_t> query(kDimension, 0x3c00);  // 1
  const SearchCard::Part part{.block = parts_[0].block.get(), .rows = 100};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto best,
                                card_->Search(std::span(&part, 1), query, kDimension, 100));
  const double expected = 511.0 * 1023.0 * 0x1p-24;
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_NEAR(static_cast<double>(best[0].products[i]),
                expected + static_cast<double>(best[0].rows[i]) * 0x1p-24, 1e-6);
  }
}

TEST_F(FaissCardTest, AllRowsAreFoundWhereAllAreEqual) {
  const auto one = RandomHalves(1, kDimension, 5);
  std::vector<uint16_t> rows;
  for (int i = 0; i < 2000; ++i) rows.insert(rows.end(), one.begin(), one.end());
  Put(rows, kDimension);
  ExpectBest(one, kDimension, 2000);
  ExpectBest(one, kDimension, 64);
}

TEST_F(FaissCardTest, WipedRowsAreZero) {
  Put(RandomHalves(3000, kDimension, 1), kDimension);
  CardPart& part = parts_[0];
  ASSERT_THAT(card_->Wipe(*part.block, 10, 2900), IsOk());
  std::fill(part.halves.begin() + 10 * kDimension, part.halves.begin() + 2910 * kDimension,
            uint16_t{0});
  const auto query = RandomHalves(1, kDimension, 1);
  ExpectBest(query, kDimension, 2048);
}

TEST_F(FaissCardTest, CopiesAndReplacesRows) {
  Put(RandomHalves(3000, kDimension, 1), kDimension);
  Put(RandomHalves(2000, kDimension, 2), kDimension);
  ASSERT_THAT(card_->Copy(*parts_[0].block, 500, 700, *parts_[1].block, 1300), IsOk());
  const auto from = parts_[0].halves.begin() + 500 * kDimension;
  std::copy(from, from + 700 * kDimension, parts_[1].halves.begin() + 1300 * kDimension);
  const auto others = RandomHalves(50, kDimension, 3);
  ASSERT_THAT(card_->Write(*parts_[1].block, 40, others), IsOk());
  std::copy(others.begin(), others.end(), parts_[1].halves.begin() + 40 * kDimension);
  ExpectBest(RandomHalves(4, kDimension, 4), kDimension, 64);
}

TEST_F(FaissCardTest, GivesBackTheMemoryOfBlocks) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t before, card_->free_bytes());
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto block, card_->Allocate(size_t{1} << 20, kDimension));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t with, card_->free_bytes());
  EXPECT_LE(with + (uint64_t{1} << 30), before);
  block.reset();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t after, card_->free_bytes());
  EXPECT_GE(after, with + (uint64_t{1} << 30));
}

TEST_F(FaissCardTest, SaysThatMemoryRanOutAndGoesOn) {
  EXPECT_THAT(card_->Allocate(size_t{1} << 34, kDimension),
              StatusIs(StatusCode::kResourceExhausted));
  Put(RandomHalves(1000, kDimension, 1), kDimension);
  ExpectBest(RandomHalves(2, kDimension, 2), kDimension, 10);
}

TEST_F(FaissCardTest, SaysItsName) {
  EXPECT_THAT(card_->name(), HasSubstr(fmt::format("cuda:{} (", CardNumber())));
  EXPECT_EQ(card_->most_wanted(), 2048u);
}

// Where there is no card at all, this says so, too.
TEST(OpenSearchCardTest, SaysThatThereIsNoSuchCard) {
  OpenSearchCard* const open = EntryOf(kSearchCardModule);
  ASSERT_NE(open, nullptr);
  const auto card = open(99);
  EXPECT_THAT(card, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(card.status())), HasSubstr("device cuda:99"));
}

// An index that asks the card, and one that does not.
class IndexOnCardTest : public FaissCardTest {
 protected:
  void SetUp() override {
    FaissCardTest::SetUp();
    if (card_ == nullptr) return;
    FACEGATE_ASSERT_OK_AND_ASSIGN(search_, CardSearch::Start(std::move(card_), uint64_t{6} << 30));
    ASSERT_THAT(index_->SetFinder(search_->MakeFinder(kDimension)), IsOk());
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
    std::vector<float> vectors(std::min(rows, kAtOnce) * kDimension);
    const auto row = [&](size_t n) {
      return std::span(vectors).subspan(n * kDimension, kDimension);
    };
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

  const std::unique_ptr<VectorIndex> plain_ = MakeExactIndex(kDimension);
  std::unique_ptr<CardSearch> search_;
  const std::unique_ptr<VectorIndex> index_ = MakeExactIndex(kDimension);
  std::vector<std::pair<VectorIndex::Slot, VectorIndex::Slot>> slots_;
  uint64_t next_id_ = 1;
};

TEST_F(IndexOnCardTest, FindsAmongAHundredThousandRowsWhatTheCpuFinds) {
  const FaceRows faces(kDimension, 0.5, 1);
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
  const FaceRows faces(kDimension, 0.5, 2);
  Fill(1'000'000, faces);
  Settle();
  EXPECT_EQ(search_->counts().rows, 1'000'000u);
  const auto probes = Probes(faces, 64);
  for (const size_t k : {1, 10}) ExpectEqual(probes, k);
  ExpectEqual(std::span(probes).first(1), 10);
  EXPECT_EQ(index_->counts().found, 129u);
}

TEST_F(IndexOnCardTest, DoesNotFindRowsThatWereRemoved) {
  const FaceRows faces(kDimension, 0.5, 3);
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
  const FaceRows faces(kDimension, 0.5, 4);
  Fill(20'000, faces);
  Settle();
  const FaceRows others(kDimension, 0.5, 5);
  Fill(1000, others);
  const auto probes = Probes(others, 50);
  ExpectEqual(probes, 5);
  Settle();
  EXPECT_EQ(search_->counts().rows, 21'000u);
  ExpectEqual(probes, 5);
}

TEST_F(IndexOnCardTest, FindsTheFirstOfManyEqualRows) {
  const FaceRows faces(kDimension, 0.5, 6);
  Reserve(30'000);
  std::vector<float> vector(kDimension);
  for (size_t i = 0; i < 30'000; ++i) {
    faces.Make(i % 3000, vector);
    Add(i / 10 + 1, vector);
  }
  Settle();
  ExpectEqual(Probes(faces, 20), 30);
}

// In half precision many of them cannot be told apart.
TEST_F(IndexOnCardTest, FindsTheBestOfAClusterThatLiesTogether) {
  const FaceRows faces(kDimension, 0.999, 7);
  Reserve(20'000);
  for (uint64_t face = 0; face < 20'000; ++face) {
    // All of one person, around whom they lie.
    std::vector<float> vector = faces.Probe(1);
    const std::vector<float> noise = FaceRows(kDimension, 0.5, face + 100).Probe(1);
    float norm = 0.0f;
    for (size_t i = 0; i < kDimension; ++i) {
      vector[i] += 0.0316f * noise[i];
      norm += vector[i] * vector[i];
    }
    for (float& value : vector) value /= std::sqrt(norm);
    Add(face / 2 + 1, vector);
  }
  Settle();
  ExpectEqual(Probes(faces, 3), 10);
  ExpectEqual(Probes(FaceRows(kDimension, 0.5, 8), 3), 10);
}

TEST_F(IndexOnCardTest, LeavesToTheCpuWhatItCannotProve) {
  const std::vector<float> twin = FaceRows(kDimension, 0.5, 9).Probe(1);
  Reserve(100'000);
  for (uint64_t i = 0; i < 100'000; ++i) Add(i + 1, twin);
  Settle();
  ExpectEqual(std::span(&twin, 1), 10);
  EXPECT_EQ(index_->counts().found, 0u);
  EXPECT_FALSE(search_->counts().has_failed);
}

}  // namespace
}  // namespace facegate
