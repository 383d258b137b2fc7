#include "trainer/report/roc_picture.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "tests/support/status_matchers.h"

namespace facegate::report {
namespace {

// How many pixels of the plot's upper and lower half the curve covers.
std::pair<int, int> CurvePixels(const std::vector<ScoredPair>& pairs) {
  const auto scores = ScoreDistribution::Make(pairs);
  EXPECT_THAT(scores, IsOk());
  const cv::Mat picture = RocPicture(*scores);
  EXPECT_EQ(picture.size(), cv::Size(480, 360));
  EXPECT_EQ(picture.type(), CV_8UC3);
  cv::Mat curve;
  cv::inRange(picture, cv::Scalar(150, 60, 0), cv::Scalar(200, 120, 60), curve);
  return {cv::countNonZero(curve.rowRange(0, 166)), cv::countNonZero(curve.rowRange(166, 360))};
}

TEST(RocPictureTest, ACurveThatIsBetterLiesHigher) {
  std::vector<ScoredPair> apart;
  std::vector<ScoredPair> mixed;
  for (int i = 0; i < 200; ++i) {
    const bool same = i % 2 == 0;
    apart.push_back({.cosine = (same ? 0.8 : 0.1) + i * 1e-4, .same = same});
    mixed.push_back({.cosine = i * 1e-3, .same = same});
  }
  const auto [high, high_below] = CurvePixels(apart);
  const auto [low, low_below] = CurvePixels(mixed);
  EXPECT_GT(high, 500) << "along the upper edge";
  EXPECT_GT(high, high_below) << "but for the left edge";
  EXPECT_GT(low_below, low) << "by guessing, most of the curve is low on a logarithmic scale";
}

TEST(RocPictureTest, ShowsOnePairOfEachKind) {
  CurvePixels({{.cosine = 0.5, .same = true}, {.cosine = 0.5, .same = false}});
}

}  // namespace
}  // namespace facegate::report
