#include "trainer/run/best_by.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

const std::vector<report::EvaluationRow> kRows = {
    {.set = "a", .accuracy = 0.5, .tar_1e3 = 0.25, .eer = 0.125},
    {.set = "b", .accuracy = 1.0, .tar_1e3 = 0.75, .eer = 0.375}};

TEST(BestByTest, IsTheMeanOfTheSets) {
  EXPECT_EQ(MeanMeasure(kRows, "accuracy").value(), 0.75);
  EXPECT_EQ(MeanMeasure(kRows, "tar").value(), 0.5);
}

TEST(BestByTest, MoreIsBetter) { EXPECT_EQ(MeanMeasure(kRows, "eer").value(), -0.25); }

TEST(BestByTest, IsNoNumberWhereASetWasNotMeasured) {
  EXPECT_TRUE(std::isnan(MeanMeasure({}, "accuracy").value()));
  EXPECT_TRUE(std::isnan(MeanMeasure({kRows[0], {.set = "c"}}, "accuracy").value()));
}

TEST(BestByTest, KnowsAllItsMeasuresAndNoOther) {
  for (const std::string_view measure : kMeasuresOfPairs) {
    EXPECT_THAT(MeanMeasure(kRows, measure), IsOk()) << measure;
  }
  EXPECT_THAT(MeanMeasure(kRows, "auc"), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
