#include "trainer/photos/dataset.h"

#include <gtest/gtest.h>

#include "face/image/align.h"
#include "tests/support/pattern_image.h"
#include "tests/support/same_pixels.h"

namespace facegate {
namespace {

// 8 of the 112 columns are cut off on either side.
TEST(CropInTest, CropsOfSphereFaceAreTheMiddleOfTheOthers) {
  const cv::Mat whole = PatternImage(1, {112, 112});
  const auto crop = CropIn(whole, AlignmentTemplate::kSphereFace96x112);
  ASSERT_TRUE(crop.has_value());
  EXPECT_TRUE(SamePixels(*crop, whole(cv::Rect(8, 0, 96, 112))));
}

TEST(CropInTest, ACropIsItsOwn) {
  const cv::Mat narrow = PatternImage(1, {96, 112});
  const auto crop = CropIn(narrow, AlignmentTemplate::kSphereFace96x112);
  ASSERT_TRUE(crop.has_value());
  EXPECT_TRUE(SamePixels(*crop, narrow));
}

TEST(CropInTest, OtherSizesHoldNone) {
  EXPECT_FALSE(CropIn(PatternImage(1, {96, 112}), AlignmentTemplate::kArcFace112).has_value());
  EXPECT_FALSE(
      CropIn(PatternImage(1, {128, 128}), AlignmentTemplate::kSphereFace96x112).has_value());
}

}  // namespace
}  // namespace facegate
