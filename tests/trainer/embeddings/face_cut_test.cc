// These tests are of how pictures become crops: the middle, low resolution, and which way is
// chosen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/file.h"
#include "tests/support/nearest_rcan.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/embeddings/low_resolution.h"
#include "trainer/enlarge/bicubic.h"
#include "trainer/photos/centre_crop.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

bool Equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0.0;
}

// A picture whose pixels tell where they are.
cv::Mat Coordinates(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>(x), static_cast<uchar>(y), 7};
    }
  }
  return picture;
}

TEST(ReadLandmarksTest, NamesMayHoldBlanksBeforeATab) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("l"),
                                  "\xef\xbb\xbf"
                                  "a b/1.jpg\t1 2 3 4 5 6 7 8 9 10\r\nc.jpg 1 2 3 4 5 6 "
                                  "7 8 9 10 more\r\n"),
              IsOk());
  const auto table = ReadLandmarks(dir.File("l"));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->size(), 2u);
  ASSERT_TRUE(table->contains("a b/1.jpg"));
  EXPECT_EQ(table->at("a b/1.jpg")[4], cv::Point2f(9.0F, 10.0F));
  EXPECT_TRUE(table->contains("c.jpg"));
}

TEST(CentreCropTest, TakesTheMiddle) {
  const auto crop = CentreCrop(Coordinates(128, 128), 112, {112, 112});
  ASSERT_THAT(crop, IsOk());
  EXPECT_EQ(crop->size(), cv::Size(112, 112));
  EXPECT_EQ(crop->at<cv::Vec3b>(0, 0), cv::Vec3b(8, 8, 7));
  EXPECT_EQ(crop->at<cv::Vec3b>(111, 111), cv::Vec3b(119, 119, 7));
  const auto odd = CentreCrop(Coordinates(127, 115), 112, {112, 112});
  ASSERT_THAT(odd, IsOk());
  EXPECT_EQ(odd->at<cv::Vec3b>(0, 0), cv::Vec3b(7, 1, 7));
}

// The middle of the ArcFace crop is the SphereFace crop: its template lies 8 pixels further right.
TEST(CentreCropTest, HasTheProportionsOfTheCrop) {
  const auto crop = CentreCrop(Coordinates(112, 112), 112, {96, 112});
  ASSERT_THAT(crop, IsOk());
  EXPECT_EQ(crop->size(), cv::Size(96, 112));
  EXPECT_EQ(crop->at<cv::Vec3b>(0, 0), cv::Vec3b(8, 0, 7));
  const auto arcface = TemplatePoints(AlignmentTemplate::kArcFace112);
  const auto sphereface = TemplatePoints(AlignmentTemplate::kSphereFace96x112);
  EXPECT_NEAR(arcface[0].x - sphereface[0].x, 8.0F, 1e-3F);
}

TEST(CentreCropTest, ScalesToTheCropsSize) {
  const auto half = CentreCrop(Coordinates(250, 250), 224, {112, 112});
  ASSERT_THAT(half, IsOk());
  EXPECT_EQ(half->size(), cv::Size(112, 112));
  EXPECT_NEAR(half->at<cv::Vec3b>(56, 0)[0], 13, 1);
  const auto doubled = CentreCrop(Coordinates(64, 64), 56, {112, 112});
  ASSERT_THAT(doubled, IsOk());
  EXPECT_EQ(doubled->size(), cv::Size(112, 112));
}

TEST(CentreCropTest, RefusesSmallerPictures) {
  EXPECT_THAT(CentreCrop(Coordinates(100, 128), 112, {112, 112}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CentreCrop(Coordinates(128, 100), 112, {112, 112}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CentreCrop(Coordinates(128, 128), 0, {112, 112}),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(LowResolutionTest, ChangesThePixelsMoreAndMore) {
  const cv::Mat crop = SyntheticCrop(1);
  double before = 0.0;
  for (const double factor : {2.0, 4.0, 8.0, 16.0}) {
    const auto low = AtLowResolution(crop, {.factor = factor});
    ASSERT_THAT(low, IsOk());
    EXPECT_EQ(low->size(), crop.size());
    const double change = cv::norm(*low, crop, cv::NORM_L1);
    EXPECT_GT(change, 1.5 * before) << factor;
    EXPECT_GT(change, 0.0) << factor;
    before = change;
  }
  const auto same = AtLowResolution(crop, {.factor = 1.0});
  ASSERT_THAT(same, IsOk());
  EXPECT_TRUE(Equal(*same, crop));
}

// Each block of factor x factor pixels becomes one, so what alternates within it is gone.
TEST(LowResolutionTest, LosesWhatASmallPictureCannotHold) {
  cv::Mat stripes(112, 112, CV_8UC3);
  for (int x = 0; x < 112; ++x) stripes.col(x).setTo(cv::Scalar::all(x % 2 == 0 ? 0 : 200));
  const auto low = AtLowResolution(stripes, {.factor = 4.0});
  ASSERT_THAT(low, IsOk());
  double least = 0.0;
  double most = 0.0;
  cv::minMaxLoc(low->reshape(1), &least, &most);
  EXPECT_EQ(least, 100.0);
  EXPECT_EQ(most, 100.0);
}

TEST(LowResolutionTest, BicubicReductionIsThatOfPillow) {
  const cv::Mat crop = SyntheticCrop(1);
  const auto low = AtLowResolution(crop, {.factor = 4.0, .reduction = Reduction::kBicubic});
  ASSERT_THAT(low, IsOk());
  EXPECT_TRUE(Equal(*low, ResizedBicubic(ResizedBicubic(crop, {28, 28}), {112, 112})));
}

TEST(LowResolutionTest, ANetworkEnlargesInsteadOfAnInterpolation) {
  const auto network = SuperResolution::Create(NearestRcan(4), 1);
  ASSERT_THAT(network, IsOk());
  const cv::Mat crop = SyntheticCrop(1);
  const auto low = AtLowResolution(crop, {.factor = 4.0, .network = network->get()});
  ASSERT_THAT(low, IsOk());
  cv::Mat small;
  cv::resize(crop, small, {28, 28}, 0, 0, cv::INTER_AREA);
  cv::Mat expected;
  cv::resize(small, expected, {112, 112}, 0, 0, cv::INTER_NEAREST);
  EXPECT_TRUE(Equal(*low, expected));
}

TEST(LowResolutionTest, RefusesANetworkThatDoesNotUndoTheReduction) {
  const auto network = SuperResolution::Create(NearestRcan(3), 1);
  ASSERT_THAT(network, IsOk());
  const cv::Mat crop = SyntheticCrop(1);
  EXPECT_THAT(AtLowResolution(crop, {.factor = 2.0, .network = network->get()}),
              StatusIs(StatusCode::kInvalidArgument));
  const auto uneven = AtLowResolution(crop, {.factor = 3.0, .network = network->get()});
  EXPECT_THAT(uneven.status().ToString(), HasSubstr("3 does not divide its sides"));
}

TEST(LowResolutionTest, RefusesFactorsWithoutMeaning) {
  const cv::Mat crop = SyntheticCrop(1);
  for (const double factor : {0.0, 0.5, -2.0, 29.0, std::nan("")}) {
    EXPECT_THAT(AtLowResolution(crop, {.factor = factor}), StatusIs(StatusCode::kInvalidArgument))
        << factor;
  }
  EXPECT_THAT(LowResolutionSideFromName("none"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(FaceCutterTest, TakesCropsAsTheyAre) {
  const auto cutter = FaceCutter::Create({.crops = true}, AlignmentTemplate::kArcFace112);
  ASSERT_THAT(cutter, IsOk());
  const auto crop = (*cutter)->Cut("a", {.bgr = Coordinates(112, 112)});
  ASSERT_THAT(crop, IsOk());
  EXPECT_TRUE(Equal(crop->bgr, Coordinates(112, 112)));
  const auto large = (*cutter)->Cut("a", {.bgr = Coordinates(128, 112)});
  EXPECT_THAT(large, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(large.status())), HasSubstr("128 x 112"));
}

TEST(FaceCutterTest, RefusesTwoWaysAtOnce) {
  const auto refused = [](const FaceCutOptions& options) {
    const auto cutter = FaceCutter::Create(options, AlignmentTemplate::kArcFace112);
    ASSERT_FALSE(cutter.ok());
    EXPECT_EQ(ReasonOf(cutter.status()), Reason::kInvalidField) << cutter.status();
  };
  refused({.landmarks = "l.txt", .yunet = "y.onnx"});
  refused({.landmarks = "l.txt", .crops = true});
  refused({.detector = "haar", .centre_crop = 112});
  refused({.detector = "yunet"});
  refused({.detector = "mtcnn"});
  refused({.centre_crop = -1});
}

}  // namespace
}  // namespace facegate
