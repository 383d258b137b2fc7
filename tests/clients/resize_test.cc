#include "clients/cli/resize.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "face/image/mat_pixels.h"

namespace facegate::cli {
namespace {

cv::Mat Noise(int width, int height) {
  cv::Mat noise(height, width, CV_8UC3);
  cv::RNG random(7);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  return noise;
}

// How far the result is from OpenCV's at most, of 255.
double DifferenceToOpenCv(const cv::Mat& picture, cv::Size size, int way) {
  Pixels resized = Resized(ViewOf(picture), size.width, size.height);
  cv::Mat expected;
  cv::resize(picture, expected, size, 0, 0, way);
  const cv::Mat actual(size, CV_8UC3, resized.rows().first);
  return cv::norm(actual, expected, cv::NORM_INF);
}

TEST(ResizeTest, TakesTheMeanOfWhatAPixelCovers) {
  const cv::Mat picture = Noise(101, 67);
  for (const cv::Size size : {cv::Size(40, 23), cv::Size(100, 67), cv::Size(1, 1)}) {
    EXPECT_LE(DifferenceToOpenCv(picture, size, cv::INTER_AREA), 1) << size;
  }
}

TEST(ResizeTest, LiesBetweenTheNearestPixelsWhereItEnlarges) {
  const cv::Mat picture = Noise(13, 9);
  for (const cv::Size size : {cv::Size(40, 27), cv::Size(14, 9), cv::Size(169, 117)}) {
    EXPECT_LE(DifferenceToOpenCv(picture, size, cv::INTER_LINEAR), 2) << size;
  }
}

TEST(ResizeTest, LeavesAPictureOfItsSizeAlone) {
  const cv::Mat picture = Noise(31, 17);
  EXPECT_EQ(DifferenceToOpenCv(picture, picture.size(), cv::INTER_AREA), 0);
}

TEST(ResizeTest, TakesPicturesOfOnePixelEachWay) {
  const cv::Mat picture(1, 1, CV_8UC3, cv::Scalar(1, 2, 3));
  EXPECT_EQ(DifferenceToOpenCv(picture, {9, 5}, cv::INTER_LINEAR), 0);
}

}  // namespace
}  // namespace facegate::cli
