#include "face/image/quarter_turns.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace facegate {
namespace {

TEST(QuarterTurnsTest, PointsGoWhereTheirPixelsGo) {
  cv::Mat picture = cv::Mat::zeros(3, 5, CV_8UC1);
  picture.at<uchar>(0, 4) = 1;
  for (int turns = 0; turns < 4; ++turns) {
    const cv::Mat turned = TurnedByQuarters(picture, turns);
    EXPECT_EQ(turned.size(), turns % 2 == 0 ? cv::Size(5, 3) : cv::Size(3, 5));
    const cv::Point2f point = TurnedByQuarters({4, 0}, turns, picture.size());
    EXPECT_EQ(turned.at<uchar>(cv::Point(point)), 1) << turns;
  }
}

TEST(QuarterTurnsTest, CornersStayCorners) {
  for (int turns = 0; turns < 4; ++turns) {
    const cv::Size turned = turns % 2 == 0 ? cv::Size(5, 3) : cv::Size(3, 5);
    const cv::Point2f corner = TurnedByQuarters({5, 0}, turns, {5, 3}, 1);
    EXPECT_TRUE(corner.x == 0 || corner.x == static_cast<float>(turned.width)) << turns;
    EXPECT_TRUE(corner.y == 0 || corner.y == static_cast<float>(turned.height)) << turns;
  }
}

TEST(QuarterTurnsTest, FourOfThemAreNone) {
  cv::Point2f point(1, 2);
  cv::Size size(5, 3);
  for (int i = 0; i < 4; ++i) {
    point = TurnedByQuarters(point, 1, size);
    size = {size.height, size.width};
  }
  EXPECT_EQ(point, cv::Point2f(1, 2));
}

}  // namespace
}  // namespace facegate
