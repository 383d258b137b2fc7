#include "index/rows/exact_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// The ways to pick rows that this processor has; the last is FAISS's kernel.
std::vector<ExactIndexOptions> Ways() {
  std::vector<ExactIndexOptions> ways;
  for (const CodeKernel& kernel : UsableCodeKernels()) ways.push_back({.kernel = &kernel});
  ways.push_back({.use_faiss = true});
  return ways;
}

std::string NameOf(const ExactIndexOptions& way) {
  std::string name(way.use_faiss ? "faiss" : way.kernel->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class RowsTest {
 protected:
  std::vector<float> Random(size_t size) { return ValuesOf(RandomEmbedding(random_, size)); }
  std::vector<float> Near(std::span<const float> centre, float spread) {
    return ValuesOf(RandomEmbeddingNear(random_, UnitOf(centre), spread));
  }

  std::mt19937_64 random_{99};
};

using WayAndSize = std::tuple<ExactIndexOptions, size_t>;

class ExactIndexTest : public RowsTest, public ::testing::TestWithParam<WayAndSize> {
 protected:
  OracleIndex MakeOracle() const { return OracleIndex(MakeExactIndex(size(), way())); }
  static const ExactIndexOptions& way() { return std::get<0>(GetParam()); }
  static size_t size() { return std::get<1>(GetParam()); }
  std::vector<float> Random() { return RowsTest::Random(size()); }
};

INSTANTIATE_TEST_SUITE_P(Ways, ExactIndexTest,
                         ::testing::Combine(::testing::ValuesIn(Ways()),
                                            ::testing::Values(1, 2, 3, 12, 64, 130, 512)),
                         [](const ::testing::TestParamInfo<WayAndSize>& param) {
                           return NameOf(std::get<0>(param.param)) + "_" +
                                  std::to_string(std::get<1>(param.param));
                         });

TEST_P(ExactIndexTest, EqualsFullScanOnRandomVectors) {
  OracleIndex oracle = MakeOracle();
  for (uint64_t i = 0; i < 800; ++i) oracle.Add(i + 1, Random());
  for (int round = 0; round < Rounds(3, 100); ++round) oracle.ExpectExact(Random());
  oracle.ExpectExact(oracle.rows()[700].vector);
}

TEST_P(ExactIndexTest, EqualsFullScanOnManyTemplatesOfAGroup) {
  OracleIndex oracle = MakeOracle();
  for (uint64_t group = 1; group <= 20; ++group) {
    const std::vector<float> centre = Random();
    for (int i = 0; i < 30; ++i) oracle.Add(group, Near(centre, 0.3f));
  }
  for (int round = 0; round < Rounds(3, 100); ++round) {
    oracle.ExpectExact(Near(oracle.rows()[random_() % 600].vector, 0.3f));
  }
}

// Clusters so tight that neither codes nor float scores can tell the rows apart.
TEST_P(ExactIndexTest, EqualsFullScanWhereErrorsExceedTheDifferences) {
  for (const float spread : {0.045f, 1e-4f}) {  // cosines of 0.999, and of nearly 1
    OracleIndex oracle = MakeOracle();
    const std::vector<float> centre = Random();
    for (uint64_t i = 0; i < 400; ++i) oracle.Add(i % 150 + 1, Near(centre, spread));
    oracle.ExpectExact(centre);
    oracle.ExpectExact(Near(centre, spread));
    oracle.ExpectExact(Near(centre, 1.0f));
  }
}

TEST_P(ExactIndexTest, GivesTiesToTheLowerTemplate) {
  OracleIndex oracle = MakeOracle();
  const std::vector<float> twin = Random();
  for (uint64_t i = 0; i < 300; ++i) {
    // Equal vectors within groups and between them, not in the order of groups.
    oracle.Add(1 + (i * 37) % 50, i % 3 == 0 ? Random() : twin);
  }
  oracle.ExpectExact(twin);
  oracle.ExpectExact(Random());
}

TEST_P(ExactIndexTest, EqualsFullScanWhereAllScoresAreNegative) {
  OracleIndex oracle = MakeOracle();
  const std::vector<float> centre = Random();
  for (uint64_t i = 0; i < 400; ++i) oracle.Add(i % 150 + 1, Near(centre, 0.2f));
  // Removed rows are zeros, and score higher than every row that is there.
  for (int i = 0; i < 200; ++i) oracle.RemoveAt(random_() % oracle.rows().size());
  std::vector<float> opposite = centre;
  for (float& value : opposite) value = -value;
  oracle.ExpectExact(opposite);
}

// One value is large and the others small or denormal, so that codes say little.
TEST_P(ExactIndexTest, EqualsFullScanWhereOneValueIsAlmostAll) {
  OracleIndex oracle = MakeOracle();
  const auto spiky = [this] {
    std::vector<float> values(size(), 0.0f);
    for (float& value : values) {
      value = static_cast<float>(static_cast<int>(random_() % 7) - 3) *
              (random_() % 2 == 0 ? 1e-3f : 1e-40f);
    }
    values[random_() % std::min<size_t>(size(), 3)] = random_() % 2 == 0 ? 1.0f : -1.0f;
    return ValuesOf(UnitOf(values));
  };
  for (uint64_t i = 0; i < 400; ++i) oracle.Add(i % 170 + 1, spiky());
  for (int round = 0; round < 3; ++round) oracle.ExpectExact(spiky());
}

TEST_P(ExactIndexTest, EqualsFullScanAmidChanges) {
  OracleIndex oracle = MakeOracle();
  for (int round = 0; round < Rounds(1000, 50'000); ++round) {
    if (random_() % 5 < 3 || oracle.rows().empty()) {
      oracle.Add(random_() % 200 + 1, Random());
    } else {
      oracle.RemoveAt(random_() % oracle.rows().size());
    }
    if (round % 250 == 249) oracle.ExpectExact(Random());
  }
  while (!oracle.rows().empty()) oracle.RemoveAt(oracle.rows().size() - 1);
  oracle.ExpectExact(Random());
}

TEST_P(ExactIndexTest, AnswersQueriesTogetherAsAlone) {
  OracleIndex oracle = MakeOracle();
  for (uint64_t i = 0; i < 700; ++i) oracle.Add(i % 500 + 1, Random());
  for (const size_t count : std::vector<size_t>{0, 1, 2, 3, 5, 8, 9, 64, 70}) {
    std::vector<std::vector<float>> queries;
    for (size_t i = 0; i < count; ++i) {
      queries.push_back(i % 2 == 0 ? Random() : Near(oracle.rows()[i].vector, 0.5f));
    }
    SCOPED_TRACE(count);
    oracle.ExpectExact(queries, count % 3 == 0 ? 1 : 10);
  }
}

class ExactWayTest : public RowsTest, public ::testing::TestWithParam<ExactIndexOptions> {};

INSTANTIATE_TEST_SUITE_P(Ways, ExactWayTest, ::testing::ValuesIn(Ways()),
                         [](const ::testing::TestParamInfo<ExactIndexOptions>& param) {
                           return NameOf(param.param);
                         });

TEST_P(ExactWayTest, CrossesSegmentBoundaries) {
  OracleIndex oracle(MakeExactIndex(4, GetParam()));
  // More than 64 + 256 + 1024 + 4096 + 16384 rows.
  for (uint64_t i = 0; i < 22'000; ++i) oracle.Add(i / 2 + 1, Random(4));
  for (const size_t k : std::vector<size_t>{1, 10, 1000, 30'000}) oracle.ExpectExact(Random(4), k);
}

// The codes of the query leave out what speaks for one row and against the others: by the codes
// alone the others are far better.
TEST_P(ExactWayTest, FindsARowThatTheQuerysCodesSpeakAgainst) {
  constexpr size_t kSize = 512;
  const auto vector = [](float first, float others) {
    std::vector<float> values(kSize, others);
    values[0] = first;
    return ValuesOf(UnitOf(values));
  };
  OracleIndex oracle(MakeExactIndex(kSize, GetParam()));
  for (uint64_t i = 1; i <= 500; ++i) oracle.Add(i, vector(0.23f, -0.043f));
  oracle.Add(501, vector(0.1f, 0.044f));
  for (const size_t k : std::vector<size_t>{1, 10}) {
    oracle.ExpectExact(vector(127.0f, 0.49f), k);
  }
}

// As faces are: people apart, and the photos of one around a centre.
TEST_P(ExactWayTest, EqualsFullScanOnFacesOfManyPeople) {
  const int people = Rounds(500, 50'000);
  OracleIndex oracle(MakeExactIndex(128, GetParam()));
  std::vector<std::vector<float>> centres;
  for (int person = 0; person < people; ++person) {
    centres.push_back(Random(128));
    for (int i = 0; i < 4; ++i) {
      oracle.Add(static_cast<uint64_t>(person) + 1, Near(centres.back(), 0.8f));
    }
  }
  std::vector<std::vector<float>> queries;
  for (size_t i = 0; i < 16; ++i) queries.push_back(Near(centres[i * 31 % centres.size()], 0.8f));
  for (const size_t k : std::vector<size_t>{1, 10, 1000}) oracle.ExpectExact(queries, k);
}

TEST_P(ExactWayTest, FindsWantedGroupsAndScoresAlone) {
  OracleIndex oracle(MakeExactIndex(32, GetParam()));
  OracleIndex wanted(MakeExactIndex(32, GetParam()));
  std::vector<uint64_t> groups;
  for (uint64_t i = 0; i < 2000; ++i) {
    const std::vector<float> row = Random(32);
    const uint64_t group = i % 700 + 1;
    oracle.Add(group, row);
    if (group % 3 == 0) wanted.Add(group, row);
    if (i < 700 && group % 3 == 0) groups.push_back(group);
  }
  const auto filter = std::make_shared<const GroupFilter>(groups);
  const std::vector<float> query = Random(32);
  const std::vector<std::span<const float>> queries{query};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto view, oracle.index().View());
  for (const size_t k : std::vector<size_t>{1, 10, 1000}) {
    auto expected = *wanted.index().Search(query, k);
    auto found = view->Search(queries, {.k = k, .groups = filter});
    ASSERT_THAT(found, IsOk());
    ASSERT_EQ(found->front().size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found->front()[i].group, expected[i].group);
      EXPECT_EQ(found->front()[i].cosine, expected[i].cosine);
    }
    expected.resize((expected.size() + 1) / 2);
    const auto least = static_cast<double>(expected.back().cosine);
    found = view->Search(queries, {.k = k, .least = least, .groups = filter});
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->front().size(), expected.size());
    EXPECT_EQ(found->front().back().cosine, expected.back().cosine);
  }
}

TEST_P(ExactWayTest, FindsTheSameWithManyThreads) {
  ExactIndexOptions options = GetParam();
  options.pool = std::make_shared<SearchPool>(5);
  OracleIndex oracle(MakeExactIndex(512, options));
  for (uint64_t i = 0; i < 6000; ++i) oracle.Add(i % 4000 + 1, Random(512));
  std::vector<std::vector<float>> queries;
  for (size_t i = 0; i < 64; ++i) queries.push_back(Near(oracle.rows()[i * 90].vector, 1.5f));
  oracle.ExpectExact(queries, 3);
}

// Unit vectors alone are promised an answer; the codes keep the promise for all others.
TEST(ExactIndexRowsTest, EqualsFullScanOnVectorsOfAnyKind) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const CodeKernel& kernel : UsableCodeKernels()) {
    std::mt19937_64 random(7);
    OracleIndex oracle(MakeExactIndex(20, {.kernel = &kernel}));
    std::vector<std::vector<float>> vectors{std::vector<float>(20, 0.0f),
                                            std::vector<float>(20, 1e-40f),
                                            std::vector<float>(20, -1e-42f)};
    for (int i = 0; i < 100; ++i) {
      std::vector<float> values = ValuesOf(RandomEmbedding(random, 20));
      const float factors[] = {1.0f, 0.3f, 3.0f, 1e30f, 1e-38f, 1e-30f};
      for (float& value : values) value *= factors[i % 6];
      vectors.push_back(values);
    }
    for (const float odd : {kInfinity, -kInfinity, std::nanf("")}) {
      vectors.push_back(ValuesOf(RandomEmbedding(random, 20)));
      vectors.back()[3] = odd;
    }
    for (uint64_t i = 0; i < 300; ++i) oracle.Add(i % 90 + 1, vectors[i % vectors.size()]);
    for (const auto& query : vectors) {
      for (const size_t k : std::vector<size_t>{1, 10, 1000}) oracle.ExpectExact(query, k);
    }
  }
}

TEST(ExactIndexRowsTest, ChecksEachKernelOfTheProcessor) {
  for (const std::string_view name : UnusableCodeKernels()) {
    std::printf("not run here, for want of the processor: %s\n", std::string(name).c_str());
  }
  EXPECT_EQ(UsableCodeKernels().back().name, "portable");
}

// The bound must be tight enough to be of use: a person is found by scoring a few rows.
TEST(ExactIndexRowsTest, ScoresFewRowsAgainOnFaces) {
  constexpr size_t kSize = 512;
  constexpr int kPeople = 3000;
  std::mt19937_64 random(11);
  const auto index = MakeExactIndex(kSize, {.kernel = UsableCodeKernels().data()});
  ASSERT_THAT(index->Reserve(2 * kPeople), IsOk());
  std::vector<Embedding> probes;
  uint64_t next_id = 1;
  for (uint64_t person = 1; person <= kPeople; ++person) {
    const Embedding centre = RandomEmbedding(random, kSize);
    for (int i = 0; i < 2; ++i) {
      index->Add(person, next_id++, RandomEmbeddingNear(random, centre, 0.8f).values());
    }
    // At cosines of about 0.4 to 0.9 with the templates.
    if (person % 100 == 0) {
      const float spread = 0.3f + 0.05f * static_cast<float>(person / 100);
      probes.push_back(RandomEmbeddingNear(random, centre, spread));
    }
  }
  for (const Embedding& probe : probes) ASSERT_THAT(index->Search(probe.values(), 1), IsOk());
  const SearchCounts counts = index->counts();
  EXPECT_EQ(counts.queries, probes.size());
  EXPECT_EQ(counts.scanned, probes.size() * 2 * kPeople);
  EXPECT_LE(counts.rescored, 4 * probes.size());
  EXPECT_GE(counts.rescored, probes.size());
}

TEST(ExactIndexRowsTest, KeepsVectorsInPlace) {
  std::mt19937_64 random(1);
  const auto index = MakeExactIndex(8);
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
}

TEST(ExactIndexRowsTest, CountsReservations) {
  const auto index = MakeExactIndex(4);
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

TEST(ExactIndexRowsTest, FindsNothingInNothing) {
  std::mt19937_64 random(1);
  const auto index = MakeExactIndex(4);
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
  std::unique_ptr<VectorIndex> index_ = MakeExactIndex(kDimension);
};

TEST_F(SearchStopTest, AsksForEachBlockOfTheScanAndOfTheScoring) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const int asked, Search(-1));
  EXPECT_GE(asked, 40);
}

TEST_F(SearchStopTest, EndsOnAllThreads) {
  const auto index = MakeExactIndex(kDimension, {.pool = std::make_shared<SearchPool>(4)});
  ASSERT_THAT(index->Reserve(kRows), IsOk());
  for (uint64_t id = 1; id <= kRows; ++id) index->Add(id, id, query_.values());
  const std::vector<std::span<const float>> queries(32, query_.values());
  int asked = 0;
  const StopCheck stop = [&] {
    asked += 1;
    return asked == 2 ? Refuse(Reason::kDeadline, "as told") : OkStatus();
  };
  EXPECT_THAT(index->Search(queries, 1, stop), RefusedWith(Reason::kDeadline));
  EXPECT_EQ(asked, 2);
}

TEST_F(SearchStopTest, EndsWhereverItIsToldTo) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const int asked, Search(-1));
  for (const int stop_at : {1, 2, asked / 2, asked}) {
    EXPECT_THAT(Search(stop_at), RefusedWith(Reason::kDeadline)) << stop_at;
  }
}

}  // namespace
}  // namespace facegate
