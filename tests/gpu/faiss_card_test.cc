#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "index/rows/card/half.h"
#include "index/rows/card/search_card.h"
#include "tests/gpu/face_rows.h"
#include "tests/gpu/tested_card.h"
#include "tests/support/status_matchers.h"

// A card finds among halves what products of real numbers say.
namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDimension = 512;

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

class FaissCardTest : public OnCardTest {
 protected:
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
  if (!IsStandIn()) GTEST_SKIP() << "others take and give back memory of the card meanwhile";
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
  EXPECT_THAT(card_->name(),
              HasSubstr(fmt::format("{} (", IsStandIn() ? "cuda:0" : TestedDevice())));
  EXPECT_EQ(card_->most_wanted(), 2048u);
}

// Where there is no card at all, this says so, too.
TEST(OpenSearchCardTest, SaysThatThereIsNoSuchCard) {
  OpenSearchCard* const open = SearchEntryOf(kSearchCardModule);
  ASSERT_NE(open, nullptr);
  const auto card = open(99);
  EXPECT_THAT(card, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(card.status())), HasSubstr("device cuda:99"));
}

}  // namespace
}  // namespace facegate
