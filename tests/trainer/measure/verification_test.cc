#include "trainer/measure/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// Scores of two overlapping kinds; rounded, so that there are ties.
std::vector<ScoredPair> SomePairs(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0.0, 0.2);
  std::vector<ScoredPair> pairs;
  for (size_t i = 0; i < count; ++i) {
    const bool same = i % 7 < 3;
    const double cosine = std::clamp((same ? 0.5 : 0.1) + noise(random), -1.0, 1.0);
    pairs.push_back({.cosine = std::round(cosine * 100.0) / 100.0, .same = same});
  }
  return pairs;
}

// The exact rule as it is written, without sorting anything.
double PlainAccuracy(const std::vector<ScoredPair>& pairs, size_t folds) {
  double sum = 0.0;
  const size_t size = pairs.size() / folds;
  for (size_t fold = 0; fold < folds; ++fold) {
    const auto in_fold = [&](size_t i) { return i / size == fold; };
    std::vector<double> thresholds;
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (!in_fold(i)) thresholds.push_back(pairs[i].cosine);
    }
    std::sort(thresholds.begin(), thresholds.end());
    double best = 0.0;
    int most = -1;
    for (const double threshold : thresholds) {
      int right = 0;
      for (size_t i = 0; i < pairs.size(); ++i) {
        right += !in_fold(i) && (pairs[i].cosine >= threshold) == pairs[i].same ? 1 : 0;
      }
      if (right > most) {
        most = right;
        best = threshold;
      }
    }
    int right = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
      right += in_fold(i) && (pairs[i].cosine >= best) == pairs[i].same ? 1 : 0;
    }
    sum += static_cast<double>(right) / static_cast<double>(size);
  }
  return sum / static_cast<double>(folds);
}

TEST(VerificationTest, CrossValidatesAsThePlainRuleDoes) {
  for (uint64_t seed = 1; seed < 6; ++seed) {
    const auto pairs = SomePairs(400, seed);
    const auto accuracy = CrossValidate(pairs, 10, ThresholdRule::kExact);
    ASSERT_THAT(accuracy, IsOk());
    EXPECT_DOUBLE_EQ(accuracy->mean, PlainAccuracy(pairs, 10));
    EXPECT_EQ(accuracy->folds.size(), 10u);
  }
}

TEST(VerificationTest, CutsPairsIntoFoldsThatDifferByOne) {
  const auto accuracy = CrossValidate(SomePairs(23, 1), 5, ThresholdRule::kGridDistance);
  ASSERT_THAT(accuracy, IsOk());
  for (size_t i = 0; i < 5; ++i) {
    const double scaled = accuracy->folds[i] * (i < 3 ? 5.0 : 4.0);
    EXPECT_NEAR(scaled, std::round(scaled), 1e-9) << i;
  }
}

// A pair is the same below the distance, so the first grid step that separates is just above it.
TEST(VerificationTest, FindsTheGridStepThatSeparates) {
  std::vector<ScoredPair> pairs;
  for (int i = 0; i < 40; ++i)
    pairs.push_back({.cosine = i % 2 == 0 ? 0.5 : 0.0, .same = i % 2 == 0});
  const auto distance = CrossValidate(pairs, 4, ThresholdRule::kGridDistance);
  ASSERT_THAT(distance, IsOk());
  EXPECT_DOUBLE_EQ(distance->mean, 1.0);
  EXPECT_NEAR(distance->threshold, 1.01, 1e-12);  // distance 1 is the same
  const auto squared = CrossValidate(pairs, 4, ThresholdRule::kGridSquaredL2);
  ASSERT_THAT(squared, IsOk());
  EXPECT_NEAR(squared->threshold, 1.01, 1e-12);
}

TEST(VerificationTest, TakesTheThresholdFromImpostorsAlone) {
  std::vector<ScoredPair> pairs;
  for (int i = 0; i < 100; ++i) pairs.push_back({.cosine = i / 100.0, .same = false});
  for (int i = 0; i < 10; ++i) pairs.push_back({.cosine = 0.905 + i / 100.0, .same = true});
  const auto scores = ScoreDistribution::Make(pairs);
  ASSERT_THAT(scores, IsOk());
  const auto at = scores->AtFar(0.05);  // five may pass: the sixth highest is 0.94
  ASSERT_THAT(at, IsOk());
  EXPECT_DOUBLE_EQ(at->threshold, 0.94);
  EXPECT_DOUBLE_EQ(at->tar.value, 0.6);
  EXPECT_DOUBLE_EQ(scores->AtFar(0.0)->threshold, 0.99);
  EXPECT_THAT(scores->AtFar(1.0), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(scores->AtFar(std::nan("")), StatusIs(StatusCode::kInvalidArgument));
}

TEST(VerificationTest, AreaAndErrorRateAreThoseOfAllComparisons) {
  const auto pairs = SomePairs(300, 9);
  const auto scores = ScoreDistribution::Make(pairs);
  ASSERT_THAT(scores, IsOk());
  double wins = 0.0;
  for (const double a : scores->genuine()) {
    for (const double b : scores->impostor()) wins += a > b ? 1.0 : (a == b ? 0.5 : 0.0);
  }
  EXPECT_NEAR(scores->Auc(),
              wins / static_cast<double>(scores->genuine().size() * scores->impostor().size()),
              1e-12);
  double smallest = 2.0;
  double expected = 0.0;
  std::vector<double> thresholds;
  for (const ScoredPair& pair : pairs) thresholds.push_back(pair.cosine);
  std::sort(thresholds.begin(), thresholds.end());
  for (const double threshold : thresholds) {
    const auto share = [&](auto values, auto counts) {
      return static_cast<double>(std::count_if(values.begin(), values.end(), counts)) /
             static_cast<double>(values.size());
    };
    const double far = share(scores->impostor(), [&](double s) { return s >= threshold; });
    const double frr = share(scores->genuine(), [&](double s) { return s < threshold; });
    if (std::abs(far - frr) < smallest) {
      smallest = std::abs(far - frr);
      expected = (far + frr) / 2.0;
    }
  }
  EXPECT_NEAR(scores->EqualErrorRate(), expected, 1e-12);
}

// Values of the formula, computed by hand for 90 of 100.
TEST(VerificationTest, SharesHaveWilsonsInterval) {
  const Share share = ShareOf(90, 100);
  EXPECT_DOUBLE_EQ(share.value, 0.9);
  EXPECT_NEAR(share.low, 0.825634, 1e-6);
  EXPECT_NEAR(share.high, 0.944771, 1e-6);
  EXPECT_DOUBLE_EQ(ShareOf(0, 10).low, 0.0);
  EXPECT_DOUBLE_EQ(ShareOf(10, 10).high, 1.0);
}

// Two folds: each is judged by the threshold of the other, 0.5, which the first fold has two wrong
// answers to.
TEST(VerificationTest, CountsTheAnswersAtTheThresholds) {
  const std::vector<ScoredPair> pairs = {
      {.cosine = 0.5, .same = true},  {.cosine = 0.3, .same = true}, {.cosine = 0.7, .same = false},
      {.cosine = 0.1, .same = false}, {.cosine = 0.5, .same = true}, {.cosine = 0.6, .same = true},
      {.cosine = 0.2, .same = false}, {.cosine = 0.1, .same = false}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FoldAccuracy accuracy,
                                CrossValidate(pairs, 2, ThresholdRule::kExact));
  const AnswerCounts& answers = accuracy.answers;
  EXPECT_EQ(answers.total(), 8U);
  EXPECT_EQ(answers.right(), 6U);
  EXPECT_DOUBLE_EQ(answers.precision(), 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(answers.recall(), 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(answers.f1(), 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(AnswerCounts{}.f1(), 0.0);
}

// By hand: the squared distances of the impostor pairs are 1.0005 and 1.9995 in each fold. Their
// rate is 0 up to 1.000 and one half from 1.001 on, so that a rate of 0.25 is met at 1.0005, which
// accepts the genuine pair at 1.0001 and refuses the one at 1.0009.
TEST(VerificationTest, ValidatesAtTheRateOfTheOtherFolds) {
  const auto at = [](double squared, bool same) {
    return ScoredPair{.cosine = 1.0 - squared / 2.0, .same = same};
  };
  std::vector<ScoredPair> pairs = {at(1.0005, false), at(1.9995, false), at(1.0001, true),
                                   at(1.0005, false), at(1.9995, false), at(1.0009, true)};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationRate rate, ValidateAtFar(pairs, 2, 0.25));
  EXPECT_DOUBLE_EQ(rate.mean, 0.5);
  EXPECT_DOUBLE_EQ(rate.deviation, 0.5);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationRate high, ValidateAtFar(pairs, 2, 0.75));
  EXPECT_DOUBLE_EQ(high.mean, 1.0);
  EXPECT_DOUBLE_EQ(high.measured_far, 0.5);
  EXPECT_THAT(ValidateAtFar(pairs, 2, 0.0), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ValidateAtFar(pairs, 7, 0.1), StatusIs(StatusCode::kInvalidArgument));
}

// A fold of one kind, as lists that are sorted by kind have, has no part in the other kind's mean.
TEST(VerificationTest, ValidatesFoldsOfOneKind) {
  const std::vector<ScoredPair> pairs = {{.cosine = 0.9, .same = true},
                                         {.cosine = 0.8, .same = true},
                                         {.cosine = 0.1, .same = false},
                                         {.cosine = 0.2, .same = false}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationRate rate, ValidateAtFar(pairs, 2, 0.5));
  EXPECT_DOUBLE_EQ(rate.mean, 1.0);
  EXPECT_DOUBLE_EQ(rate.measured_far, 0.0) << "no impostor pair is in the other fold";
}

TEST(VerificationTest, RefusesWhatGivesNoFigure) {
  EXPECT_THAT(CrossValidate(SomePairs(5, 1), 10, ThresholdRule::kExact),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CrossValidate(SomePairs(5, 1), 1, ThresholdRule::kExact),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ScoreDistribution::Make(std::vector<ScoredPair>{{.cosine = 1.0, .same = true}}),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
