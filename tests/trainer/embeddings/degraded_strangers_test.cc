#include "trainer/embeddings/degraded_strangers.h"

#include <gmock/gmock.h>

#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/support/status_matchers.h"
#include "trainer/embeddings/face_cutter.h"

namespace facegate {
namespace {

// Returns the box around a white spot.
cv::Rect SpotIn(const cv::Mat& crop) {
  cv::Mat grey;
  cv::cvtColor(crop, grey, cv::COLOR_BGR2GRAY);
  return cv::boundingRect(grey > 128);
}

class CutDegradedTest : public testing::Test {
 protected:
  cv::Mat Turned(double degrees, AlignmentTemplate alignment, const cv::Mat& crop) {
    const auto cutter = FaceCutter::Create({.crops = true}, alignment);
    EXPECT_THAT(cutter.status(), IsOk());
    RandomStream random(1);
    const auto cut = CutDegraded(**cutter, "crop", {.bgr = crop},
                                 {.kind = DegradationKind::kTurn, .strength = degrees}, random);
    EXPECT_THAT(cut.status(), IsOk());
    return cut.ok() ? cut->face.bgr : cv::Mat();
  }
};

TEST_F(CutDegradedTest, ATurnedNarrowCropKeepsTheShapeOfItsFace) {
  cv::Mat crop(112, 96, CV_8UC3, cv::Scalar::all(0));
  cv::circle(crop, {40, 56}, 20, cv::Scalar::all(255), -1);
  for (const double degrees : {90.0, 180.0, 270.0}) {
    const cv::Mat turned = Turned(degrees, AlignmentTemplate::kSphereFace96x112, crop);
    ASSERT_EQ(turned.size(), crop.size()) << degrees;
    EXPECT_EQ(SpotIn(turned).size(), cv::Size(41, 41)) << degrees;
  }
}

TEST_F(CutDegradedTest, ATurnedNarrowCropStaysAboutItsMiddle) {
  cv::Mat crop(112, 96, CV_8UC3, cv::Scalar::all(0));
  // Ten pixels above the middle: after a quarter turn clockwise it is to the right of it.
  cv::rectangle(crop, cv::Rect(44, 42, 8, 8), cv::Scalar::all(255), -1);
  const cv::Rect spot = SpotIn(Turned(90, AlignmentTemplate::kSphereFace96x112, crop));
  EXPECT_EQ(spot, cv::Rect(54, 52, 8, 8));
}

TEST_F(CutDegradedTest, ATurnedSquareCropIsTheTurnedPicture) {
  cv::Mat crop(112, 112, CV_8UC3);
  cv::RNG random(1);
  random.fill(crop, cv::RNG::UNIFORM, 0, 255);
  cv::Mat expected;
  cv::rotate(crop, expected, cv::ROTATE_90_CLOCKWISE);
  const cv::Mat turned = Turned(90, AlignmentTemplate::kArcFace112, crop);
  EXPECT_EQ(cv::norm(turned, expected, cv::NORM_INF), 0);
}

}  // namespace
}  // namespace facegate
