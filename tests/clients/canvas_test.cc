#include "clients/cli/canvas.h"

#include <gtest/gtest.h>

#include "tests/clients/canvas_picture.h"

namespace facegate::cli {
namespace {

constexpr Colour kInk{10, 20, 200};

bool IsInk(const cv::Mat& picture, int x, int y) {
  return picture.at<cv::Vec3b>(y, x) == cv::Vec3b(kInk.blue, kInk.green, kInk.red);
}

int Touched(const Canvas& canvas) {
  cv::Mat channel;
  cv::extractChannel(PictureOf(canvas), channel, 2);
  return cv::countNonZero(channel);
}

TEST(CanvasTest, FillsWholePixels) {
  Canvas canvas(8, 6, {});
  canvas.Fill({2, 1, 3, 4}, kInk);
  const cv::Mat picture = PictureOf(canvas);
  EXPECT_TRUE(IsInk(picture, 2, 1) && IsInk(picture, 4, 4));
  EXPECT_EQ(Touched(canvas), 12);
}

TEST(CanvasTest, DrawsAFrameOverTheOutermostPixels) {
  Canvas canvas(10, 10, {});
  canvas.DrawFrame({2, 2, 6, 5}, 1, kInk);
  const cv::Mat picture = PictureOf(canvas);
  EXPECT_TRUE(IsInk(picture, 2, 2) && IsInk(picture, 7, 6) && IsInk(picture, 2, 6));
  EXPECT_EQ(Touched(canvas), 2 * 6 + 2 * 3);
}

TEST(CanvasTest, SoftensTheEdgesOfSlantingLines) {
  Canvas canvas(20, 20, {});
  canvas.DrawLine({2, 3}, {15, 10}, 1, kInk);
  cv::Mat red;
  cv::extractChannel(PictureOf(canvas), red, 2);
  cv::Mat between;
  cv::inRange(red, cv::Scalar(1), cv::Scalar(kInk.red - 1), between);
  EXPECT_GT(cv::countNonZero(between), 10);
}

TEST(CanvasTest, DrawsDotsAsWideAsAsked) {
  Canvas canvas(21, 21, {});
  canvas.DrawDot({10, 10}, 7, kInk);
  const cv::Mat picture = PictureOf(canvas);
  EXPECT_TRUE(IsInk(picture, 7, 10) && IsInk(picture, 10, 13));
  EXPECT_FALSE(IsInk(picture, 6, 10) || IsInk(picture, 7, 7));
}

TEST(CanvasTest, CutsOffWhatLiesOutside) {
  Canvas canvas(6, 6, {});
  canvas.Fill({-1'000'000, 4, 2'000'000, 1'000'000}, kInk);
  EXPECT_EQ(Touched(canvas), 12);
  canvas.DrawFrame({-500'000, -500'000, 1'000'000, 1'000'000}, 3, kInk);
  canvas.DrawLine({-50, -50}, {-10, 90}, 5, kInk);
  EXPECT_EQ(Touched(canvas), 12);
  const Canvas other(4, 4, kInk);
  canvas.Place(other.view(), 4, -3);
  canvas.Place(other.view(), -4, -4);
  canvas.Place(other.view(), 6, 2);
  EXPECT_EQ(Touched(canvas), 14);
}

}  // namespace
}  // namespace facegate::cli
