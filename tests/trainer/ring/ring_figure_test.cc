#include "trainer/ring/ring_figure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

namespace facegate {
namespace {

// A cloud of one class around (1, 0), one around (0, 1).
struct Clouds {
  std::vector<RingPoint> points;
  std::vector<uint8_t> labels;

  Clouds() {
    for (int i = 0; i < 100; ++i) {
      const double off = 0.001 * (i - 50);
      points.push_back({.x = 1.0 - 0.001 * i, .y = off});
      labels.push_back(3);
      points.push_back({.x = off, .y = 1.0 - 0.001 * i});
      labels.push_back(2);
    }
  }
  RingPanel Panel() const {
    return {.title = "title",
            .figures = "1.5\u00b0",
            .embeddings = points,
            .labels = labels,
            .directions = {}};
  }
};

cv::Scalar Red() { return {40, 39, 214}; }    // class 3
cv::Scalar Green() { return {44, 160, 44}; }  // class 2

// Counts the pixels of a part that are nearly of that colour (BGR).
int CountNear(const cv::Mat& part, const cv::Scalar& colour) {
  cv::Mat mask;
  const cv::Scalar slack = cv::Scalar::all(40);
  cv::inRange(part, colour - slack, colour + slack, mask);
  return cv::countNonZero(mask);
}

TEST(RingFigureTest, IsAsWideAsItsPanels) {
  const Clouds clouds;
  const cv::Mat one = DrawRingFigure({.title = "a", .subtitle = "b", .panels = {clouds.Panel()}});
  const cv::Mat two =
      DrawRingFigure({.title = "a", .subtitle = "b", .panels = {clouds.Panel(), clouds.Panel()}});
  EXPECT_EQ(one.type(), CV_8UC3);
  EXPECT_EQ(one.cols, 800);
  EXPECT_EQ(two.size(), cv::Size(1600, one.rows));
}

TEST(RingFigureTest, DrawsEmbeddingsWhereTheyPointInTheColourOfTheirClass) {
  const Clouds clouds;
  const cv::Mat figure = DrawRingFigure({.title = "", .subtitle = "", .panels = {clouds.Panel()}});
  const cv::Mat cloud = figure.rowRange(200, 860);
  const cv::Rect right(550, 250, 240, 160);
  const cv::Rect top(320, 0, 160, 50);
  EXPECT_GT(CountNear(cloud(right), Red()), 50);
  EXPECT_EQ(CountNear(cloud(right), Green()), 0);
  EXPECT_GT(CountNear(cloud(top), Green()), 50);
  EXPECT_EQ(CountNear(cloud(top), Red()), 0);
  EXPECT_EQ(CountNear(cloud(cv::Rect(20, 250, 330, 160)), Red()), 0);
}

TEST(RingFigureTest, ScalesEachPanelToItsLongestEmbedding) {
  const Clouds clouds;
  Clouds longer;
  for (RingPoint& point : longer.points) point = {.x = 1e6 * point.x, .y = 1e6 * point.y};
  const cv::Mat a = DrawRingFigure({.title = "", .subtitle = "", .panels = {clouds.Panel()}});
  const cv::Mat b = DrawRingFigure({.title = "", .subtitle = "", .panels = {longer.Panel()}});
  EXPECT_LT(cv::norm(a, b, cv::NORM_INF), 8.0);
}

TEST(RingFigureTest, TakesEmbeddingsInTheOrigin) {
  RingPanel panel{
      .title = "", .figures = "", .embeddings = {}, .labels = {}, .directions = {{1.0, 0.0}}};
  const std::vector<RingPoint> points(3);
  const std::vector<uint8_t> labels(3);
  panel.embeddings = points;
  panel.labels = labels;
  EXPECT_EQ(DrawRingFigure({.title = "", .subtitle = "", .panels = {panel}}).cols, 800);
}

}  // namespace
}  // namespace facegate
