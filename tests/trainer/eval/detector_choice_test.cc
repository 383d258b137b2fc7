#include "trainer/eval/detector_choice.h"

#include <gmock/gmock.h>

#include "face/base/file.h"
#include "face/model/bundled_landmarks.h"
#include "face/model/landmark_file.h"
#include "tests/support/random_network_weights.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(DetectorChoiceTest, TakesTheBundledLandmarkNetworkWithoutAWord) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, CreateChosenDetector({}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights bundled, BundledLandmarkWeights());
  EXPECT_EQ(detector->name(), "haar+landmarks:" + bundled.digest);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const LandmarkWeights file,
      ReadLandmarkWeights(FACEGATE_SOURCE_DIR "/deploy/models/landmarks.safetensors"));
  EXPECT_EQ(bundled.digest, file.digest);
}

TEST(DetectorChoiceTest, TakesCascadesAloneWhereTheyAreAskedFor) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector,
                                CreateChosenDetector({.detector = "haar-eyes"}));
  EXPECT_EQ(detector->name(), "haar");
}

TEST(DetectorChoiceTest, TakesTheLandmarkNetworkThatIsGiven) {
  const TempDir dir;
  const std::string path = dir.File("net.safetensors");
  ASSERT_THAT(WriteLandmarkWeights(path, RandomLandmarkWeights(1), {}), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, CreateChosenDetector({.landmark_net = path}));
  EXPECT_THAT(detector->name(), testing::MatchesRegex("haar\\+landmarks:[0-9a-f]{12}"));
}

TEST(DetectorChoiceTest, NamesAFileThatIsNoNetwork) {
  const TempDir dir;
  const std::string path = dir.File("net.safetensors");
  ASSERT_THAT(WriteFileAtomically(path, "no network"), IsOk());
  EXPECT_THAT(std::string(MessageOf(CreateChosenDetector({.landmark_net = path}).status())),
              HasSubstr("net.safetensors"));
  LandmarkWeights other = RandomLandmarkWeights(1);
  other.tensors.erase("hidden.bias");
  ASSERT_THAT(WriteLandmarkWeights(path, other, {}), IsOk());
  EXPECT_THAT(std::string(MessageOf(CreateChosenDetector({.landmark_net = path}).status())),
              testing::AllOf(HasSubstr("net.safetensors"), HasSubstr("hidden.bias")));
}

TEST(DetectorChoiceTest, RefusesContradictions) {
  EXPECT_THAT(CreateChosenDetector({.detector = "mtcnn"}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(CreateChosenDetector({.detector = "yunet"}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(CreateChosenDetector({.yunet = "y.onnx", .landmark_net = "l.safetensors"}),
              RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(CreateChosenDetector({.detector = "haar-eyes", .landmark_net = "l.safetensors"}),
              RefusedWith(Reason::kInvalidField));
}

}  // namespace
}  // namespace facegate
