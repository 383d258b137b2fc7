#include "trainer/enlarge/bicubic.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <vector>

#include "tests/support/same_pixels.h"

namespace facegate {
namespace {

cv::Mat Pattern() {
  cv::Mat picture(8, 12, CV_8UC1);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      picture.at<uint8_t>(y, x) = static_cast<uint8_t>((x * 37 + y * 91 + x * y * 13) % 256);
    }
  }
  return picture;
}

// The numbers are those of Pillow 13.
TEST(BicubicTest, GivesPillowsNumbers) {
  const cv::Mat half = (cv::Mat_<uint8_t>(4, 6) << 85, 138, 135, 136, 100, 109, 135, 148, 147, 123,
                        151, 83, 112, 136, 137, 132, 143, 116, 129, 145, 181, 161, 157, 137);
  const cv::Mat quarter = (cv::Mat_<uint8_t>(2, 3) << 127, 137, 113, 134, 152, 137);
  const cv::Mat odd = (cv::Mat_<uint8_t>(3, 5) << 111, 140, 140, 122, 100, 121, 147, 129, 139, 109,
                       122, 158, 158, 157, 133);
  for (const cv::Mat& expected : {half, quarter, odd}) {
    EXPECT_TRUE(SamePixels(ResizedBicubic(Pattern(), expected.size()), expected))
        << ResizedBicubic(Pattern(), expected.size());
  }
}

TEST(BicubicTest, EnlargesAsPillowDoes) {
  const cv::Mat rows =
      (cv::Mat_<uint8_t>(2, 24) << 0, 0, 17, 36, 55, 72, 89, 113, 145, 168, 186, 209, 241, 182, 35,
       0, 6, 36, 68, 91, 109, 128, 147, 156, 15, 21, 42, 65, 89, 111, 133, 137, 125, 129, 151, 178,
       211, 175, 72, 40, 68, 77, 64, 70, 96, 120, 141, 150);
  const cv::Mat large = ResizedBicubic(Pattern(), {24, 16});
  EXPECT_TRUE(SamePixels(large.rowRange(0, 2), rows)) << large.rowRange(0, 2);
}

TEST(BicubicTest, KeepsColoursApartAndAPictureOfTheSameSize) {
  cv::Mat colours(8, 8, CV_8UC3, cv::Scalar(10, 20, 30));
  EXPECT_TRUE(
      SamePixels(ResizedBicubic(colours, {2, 4}), cv::Mat(4, 2, CV_8UC3, cv::Scalar(10, 20, 30))));
  EXPECT_TRUE(SamePixels(ResizedBicubic(Pattern(), {12, 8}), Pattern()));
}

}  // namespace
}  // namespace facegate
