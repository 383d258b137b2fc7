#include "face/detect/choose.h"

#include <gmock/gmock.h>

#include "face/base/file.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/landmark_file.h"
#include "tests/support/random_network_weights.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(ChooseDetectorTest, TakesTheBundledLandmarkNetworkWithoutAWord) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, ChooseDetector({}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights bundled, BundledLandmarkWeights());
  EXPECT_EQ(detector->name(), "haar+landmarks:" + bundled.digest);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const LandmarkWeights file,
      ReadLandmarkWeights(FACEGATE_SOURCE_DIR "/deploy/models/landmarks.safetensors"));
  EXPECT_EQ(bundled.digest, file.digest);
}

TEST(ChooseDetectorTest, TakesCascadesAloneWhereTheyAreAskedFor) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, ChooseDetector({.detector = "haar-eyes"}));
  EXPECT_EQ(detector->name(), "haar");
}

TEST(ChooseDetectorTest, TakesTheLandmarkNetworkThatIsGiven) {
  const TempDir dir;
  const std::string path = dir.File("net.safetensors");
  ASSERT_THAT(WriteLandmarkWeights(path, RandomLandmarkWeights(1), {}), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, ChooseDetector({.landmark_net = path}));
  EXPECT_THAT(detector->name(), testing::MatchesRegex("haar\\+landmarks:[0-9a-f]{12}"));
}

TEST(ChooseDetectorTest, NamesAFileThatIsNoNetwork) {
  const TempDir dir;
  const std::string path = dir.File("net.safetensors");
  ASSERT_THAT(WriteFileAtomically(path, "no network"), IsOk());
  EXPECT_THAT(std::string(MessageOf(ChooseDetector({.landmark_net = path}).status())),
              HasSubstr("net.safetensors"));
  LandmarkWeights other = RandomLandmarkWeights(1);
  other.tensors.erase("hidden.bias");
  ASSERT_THAT(WriteLandmarkWeights(path, other, {}), IsOk());
  EXPECT_THAT(std::string(MessageOf(ChooseDetector({.landmark_net = path}).status())),
              testing::AllOf(HasSubstr("net.safetensors"), HasSubstr("hidden.bias")));
}

TEST(ChooseDetectorTest, RefusesContradictions) {
  EXPECT_THAT(ChooseDetector({.detector = "mtcnn"}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ChooseDetector({.detector = "yunet"}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ChooseDetector({.yunet = "y.onnx", .landmark_net = "l.safetensors"}),
              RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ChooseDetector({.detector = "haar-eyes", .landmark_net = "l.safetensors"}),
              RefusedWith(Reason::kInvalidField));
}

}  // namespace
}  // namespace facegate
