// Claimed rates against those of other people, who are generated alike: the interval holds as often
// as it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "face/decide/rates.h"
#include "tests/support/person_scores.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr size_t kSets = 80;
constexpr size_t kSetPeople = 300;
constexpr size_t kEnrolled = 100;

double FmrOf(const PersonScores& scores, double threshold) {
  size_t matches = 0;
  for (size_t a = 0; a < scores.people(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (static_cast<double>(scores.Score(a, b)) >= threshold) ++matches;
    }
  }
  const auto people = static_cast<double>(scores.people());
  return static_cast<double>(matches) / (people * (people - 1.0) / 2.0);
}

// The first hundred are enrolled.
double FpirOf(const PersonScores& scores, double threshold) {
  size_t found = 0;
  for (size_t a = kEnrolled; a < scores.people(); ++a) {
    for (size_t b = 0; b < kEnrolled; ++b) {
      if (static_cast<double>(scores.Score(a, b)) < threshold) continue;
      ++found;
      break;
    }
  }
  return static_cast<double>(found) / static_cast<double>(scores.people() - kEnrolled);
}

// Counts how often each interval holds what is measured on another set.
struct Coverage {
  double fmr = 0.0;
  double fpir = 0.0;
  double as_independent = 0.0;  // of intervals for the FMR that take pairs as independent
};

Coverage CoverageAt(double threshold) {
  Coverage coverage;
  constexpr double kShare = 1.0 / static_cast<double>(kSets);
  for (size_t set = 0; set < kSets; ++set) {
    const auto calibration = PersonScores(kSetPeople, 100 + 2 * set).Calibrate();
    EXPECT_THAT(calibration, IsOk());
    const PersonScores others(kSetPeople, 101 + 2 * set);
    const double fmr = FmrOf(others, threshold);
    const ErrorRate claimed = FalseMatchRateAt(*calibration, threshold);
    if (claimed.lower <= fmr && fmr <= claimed.upper) coverage.fmr += kShare;
    const double pairs = kSetPeople * (kSetPeople - 1.0) / 2.0;
    const double deviation = std::sqrt(2.0 * claimed.rate * (1.0 - claimed.rate) / pairs);
    if (std::abs(fmr - claimed.rate) <= 1.96 * deviation) coverage.as_independent += kShare;
    const double fpir = FpirOf(others, threshold);
    const ErrorRate searched = FalsePositiveRateAt(*calibration, threshold, kEnrolled);
    if (searched.lower <= fpir && fpir <= searched.upper) coverage.fpir += kShare;
  }
  return coverage;
}

class CalibrationCoverageTest : public ::testing::TestWithParam<double> {};

TEST_P(CalibrationCoverageTest, IntervalsHoldInNineOfTenSets) {
  const Coverage coverage = CoverageAt(GetParam());
  EXPECT_GE(coverage.fmr, 0.9);
  EXPECT_GE(coverage.fpir, 0.9);
  RecordProperty("fmr", std::to_string(coverage.fmr));
  RecordProperty("fpir", std::to_string(coverage.fpir));
}

// FMR 1e-1, 1e-2, 1e-3 and FPIR of about 1, 0.6 and 0.09.
INSTANTIATE_TEST_SUITE_P(Thresholds, CalibrationCoverageTest,
                         ::testing::Values(0.1538, 0.2792, 0.3708));

TEST(CalibrationCoverageTest, IntervalsOfIndependentPairsDoNotHold) {
  EXPECT_LT(CoverageAt(0.1538).as_independent, 0.5);
}

}  // namespace
}  // namespace facegate
