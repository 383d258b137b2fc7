// The detectors without a photo; photo_detect_test.cc has the rest.
#include <gmock/gmock.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "face/base/file.h"
#include "face/detect/cascade.h"
#include "face/detect/yunet.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(YuNetDetectorTest, FailsWithoutItsFileNamingIt) {
  const TempDir dir;
  YuNetOptions options;
  options.model_path = dir.File("absent.onnx");
  const auto detector = CreateYuNetDetector(options);
  ASSERT_THAT(detector, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(MessageOf(detector.status()), HasSubstr("absent.onnx"));
}

TEST(YuNetDetectorTest, FailsOnAFileThatIsNoModel) {
  const TempDir dir;
  YuNetOptions options;
  options.model_path = dir.File("text.onnx");
  for (const std::string& bytes :
       {std::string(), std::string("no model"), std::string(999, '\0')}) {
    ASSERT_THAT(WriteFileAtomically(options.model_path, bytes), IsOk());
    const auto detector = CreateYuNetDetector(options);
    ASSERT_THAT(detector, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(MessageOf(detector.status()), HasSubstr("text.onnx"));
  }
}

TEST(YuNetDetectorTest, RefusesSettingsOutOfRange) {
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .score_threshold = 0}), refused);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .score_threshold = 1.1f}), refused);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .score_threshold = NAN}), refused);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .nms_iou = -1}), refused);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .max_side = 31}), refused);
  EXPECT_THAT(CreateYuNetDetector({.model_path = "x", .min_face_pixels = 0}), refused);
}

TEST(CascadeDetectorTest, FailsWithoutItsFilesNamingOne) {
  const TempDir dir;
  CascadeOptions options;
  options.directory = dir.path().string();
  const auto detector = CreateCascadeDetector(options);
  ASSERT_THAT(detector, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(MessageOf(detector.status()), HasSubstr("haarcascade_frontalface_alt2.xml"));
}

TEST(CascadeDetectorTest, FailsOnAFileThatIsNoCascade) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("haarcascade_frontalface_alt2.xml"), "<?xml no>"),
              IsOk());
  CascadeOptions options;
  options.directory = dir.path().string();
  EXPECT_FALSE(CreateCascadeDetector(options).ok());
}

TEST(CascadeDetectorTest, RefusesSettingsOutOfRange) {
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(CreateCascadeDetector({.scale_step = 1}), refused);
  EXPECT_THAT(CreateCascadeDetector({.scale_step = NAN}), refused);
  EXPECT_THAT(CreateCascadeDetector({.min_neighbours = 0}), refused);
  EXPECT_THAT(CreateCascadeDetector({.min_face_share = 1.5}), refused);
  EXPECT_THAT(CreateCascadeDetector({.max_side = 3}), refused);
  EXPECT_THAT(CreateCascadeDetector({.min_face_pixels = 19}), refused);
}

TEST(CascadeDetectorTest, FindsNoFaceInPicturesWithoutOne) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, CreateCascadeDetector({}));
  EXPECT_EQ(detector->name(), "haar");
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(19, 300), cv::Size(320, 240),
                              cv::Size(3000, 2), cv::Size(2000, 1500)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const auto faces, detector->Detect({cv::Mat(size, CV_8UC3, cv::Scalar(90, 120, 150))}));
    EXPECT_TRUE(faces.empty()) << size;
  }
}

// A picture without any face is searched by all means that there are.
cv::Mat Noise(int width, int height) {
  cv::Mat noise(height, width, CV_8UC3);
  cv::RNG random(5);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  return noise;
}

TEST(CascadeDetectorTest, EndsTheSearchAtWhateverQuestionIsDenied) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, CreateCascadeDetector({}));
  const Image image{Noise(1500, 300)};
  int asks = 0;
  ASSERT_THAT(detector->Detect(image,
                               [&] {
                                 ++asks;
                                 return OkStatus();
                               }),
              IsOk());
  // One for each size of face at the least.
  EXPECT_GT(asks, 30);
  for (int denied = 1; denied <= asks; denied += asks / 5) {
    int asked = 0;
    const auto faces = detector->Detect(
        image, [&] { return ++asked == denied ? Unavailable("no longer wanted") : OkStatus(); });
    ASSERT_THAT(faces, StatusIs(StatusCode::kUnavailable));
    EXPECT_EQ(asked, denied) << "the search went on";
  }
}

}  // namespace
}  // namespace facegate
