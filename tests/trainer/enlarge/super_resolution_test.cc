#include "trainer/enlarge/super_resolution.h"

#include <gmock/gmock.h>

#include <opencv2/imgproc.hpp>

#include "face/base/file.h"
#include "face/weights/model_file.h"
#include "tests/support/nearest_rcan.h"
#include "tests/support/random_model.h"
#include "tests/support/same_pixels.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

cv::Mat SmallCrop() {
  cv::Mat small;
  cv::resize(SyntheticCrop(3), small, {14, 10}, 0, 0, cv::INTER_AREA);
  return small;
}

cv::Mat Repeated(const cv::Mat& picture, int times) {
  cv::Mat large;
  cv::resize(picture, large, {}, times, times, cv::INTER_NEAREST);
  return large;
}

StatusOr<cv::Mat> EnlargedBy(SuperResolutionFile file, const cv::Mat& picture) {
  FACEGATE_ASSIGN_OR_RETURN(const auto network, SuperResolution::Create(std::move(file), 1));
  return network->Enlarge(picture);
}

TEST(SuperResolutionTest, RunsTheNetworkOverAllPixels) {
  for (const int scale : {2, 3, 4, 8}) {
    for (const double largest : {1.0, 255.0}) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat large,
                                    EnlargedBy(NearestRcan(scale, largest), SmallCrop()));
      EXPECT_TRUE(SamePixels(large, Repeated(SmallCrop(), scale))) << scale << " " << largest;
    }
  }
}

TEST(SuperResolutionTest, TakesRedFirstAndKeepsPixelsInTheirRange) {
  const cv::Mat grey(4, 4, CV_8UC3, cv::Scalar::all(100));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat large,
                                EnlargedBy(NearestRcan(2, 1.0, {9.0F, 1.5F, -2.0F}), grey));
  EXPECT_EQ(large.at<cv::Vec3b>(3, 5), cv::Vec3b(0, 150, 255));
}

TEST(SuperResolutionTest, RefusesPicturesThatWouldBeTooLarge) {
  EXPECT_THAT(EnlargedBy(NearestRcan(8), cv::Mat(182, 182, CV_8UC3)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(SuperResolutionFileTest, ComesBackWithWhatIsKnownOfIt) {
  const TempDir dir;
  SuperResolutionFile file = NearestRcan(4, 255.0);
  file.facts["origin"] = "a test";
  ASSERT_THAT(WriteSuperResolutionFile(dir.File("sr"), file), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(SuperResolutionFile read, ReadSuperResolutionFile(dir.File("sr")));
  EXPECT_EQ(read.shape, file.shape);
  EXPECT_EQ(read.tensors, file.tensors);
  EXPECT_EQ(read.largest_pixel, 255.0);
  EXPECT_EQ(read.facts["origin"], "a test");
  EXPECT_EQ(read.facts["scale"], "4");
}

TEST(SuperResolutionFileTest, RefusesChangedWeightsAndOtherFiles) {
  const TempDir dir;
  ASSERT_THAT(WriteSuperResolutionFile(dir.File("sr"), NearestRcan(2)), IsOk());
  std::string bytes = ReadFile(dir.File("sr"), 1 << 20).value();
  bytes.back() = '\x3f';
  ASSERT_THAT(WriteFileAtomically(dir.File("changed"), bytes), IsOk());
  EXPECT_THAT(ReadSuperResolutionFile(dir.File("changed")).status().ToString(),
              HasSubstr("it was changed"));
  ASSERT_THAT(WriteRandomModel(dir.File("model")), IsOk());
  EXPECT_THAT(SuperResolution::Open(dir.File("model"), 1).status().ToString(),
              HasSubstr("no super-resolution network"));
}

// The other way round: who embeds faces is told what the file is.
TEST(SuperResolutionFileTest, IsRefusedWhereAModelIsExpected) {
  const TempDir dir;
  ASSERT_THAT(WriteSuperResolutionFile(dir.File("sr"), NearestRcan(2)), IsOk());
  EXPECT_THAT(ReadModelFile(dir.File("sr")).status().ToString(),
              HasSubstr("it holds a network for \"super-resolution\", none that embeds faces"));
}

}  // namespace
}  // namespace facegate
