#include "face/detect/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

namespace facegate {
namespace {

TEST(TilesTest, AreOneWhereThePictureIsNoLarger) {
  EXPECT_EQ(TilesOf({640, 30}, 640, 100), std::vector<cv::Rect>{cv::Rect(0, 0, 640, 30)});
}

TEST(TilesTest, HoldEachSquareOfTheOverlapWholly) {
  for (const cv::Size picture :
       {cv::Size(641, 640), cv::Size(1460, 1080), cv::Size(2400, 60), cv::Size(60, 2401)}) {
    const std::vector<cv::Rect> tiles = TilesOf(picture, 640, 100);
    for (int y = 0; y + 50 <= picture.height; y += 7) {
      for (int x = 0; x + 100 <= picture.width; x += 9) {
        const cv::Rect square(x, y, 100, std::min(100, picture.height - y));
        EXPECT_TRUE(std::any_of(tiles.begin(), tiles.end(),
                                [&](const cv::Rect& tile) { return (tile & square) == square; }))
            << picture << square;
      }
    }
  }
}

TEST(TilesTest, CutAFaceAtTheirEdgesButNotAtThoseOfThePicture) {
  const cv::Size picture(1000, 640);
  const cv::Rect left(0, 0, 640, 640);
  EXPECT_TRUE(IsCutByTile({600, 100, 45, 50}, left, picture));
  EXPECT_FALSE(IsCutByTile({-5, -9, 45, 50}, left, picture));
  EXPECT_FALSE(IsCutByTile({100, 600, 45, 50}, left, picture));
  EXPECT_TRUE(IsCutByTile({355, 100, 45, 50}, {360, 0, 640, 640}, picture));
}

}  // namespace
}  // namespace facegate
