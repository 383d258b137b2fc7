#include "face/detect/upright_detector.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_detector.h"
#include "tests/support/random_network_weights.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr float kSure = 4;
constexpr float kDenying = -6;

// A landmark network that sees the average face in every crop, with this confidence.
LandmarkWeights ConstantLook(float logit) {
  LandmarkWeights weights = RandomLandmarkWeights(4);
  for (auto& [name, tensor] : weights.tensors) {
    if (name.starts_with("output")) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  }
  weights.tensors["output.bias"].values.back() = logit;
  return weights;
}

// Finds a face at (20, 10) of pictures whose first pixel is white.
class MarkDetector final : public Detector {
 public:
  MarkDetector(int& calls, DetectedFace face) : calls_(calls), face_(std::move(face)) {}

  StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    ++calls_;
    if (image.bgr.at<cv::Vec3b>(0, 0) != cv::Vec3b(255, 255, 255)) {
      return std::vector<DetectedFace>();
    }
    return std::vector<DetectedFace>{face_};
  }
  const std::string& name() const override { return name_; }

 private:
  int& calls_;
  const DetectedFace face_;
  const std::string name_ = "mark";
};

// 300 x 200 pixels; the white one is in the corner that so many clockwise quarter turns bring to
// the top left.
Image MarkedPicture(int quarter_turns) {
  Image image{.bgr = cv::Mat(200, 300, CV_8UC3, cv::Scalar(90, 120, 150))};
  const cv::Point corners[] = {{0, 0}, {0, 199}, {299, 199}, {299, 0}};
  image.bgr.at<cv::Vec3b>(corners[quarter_turns]) = {255, 255, 255};
  return image;
}

class UprightDetectorTest : public testing::Test {
 protected:
  std::unique_ptr<Detector> Make(float logit, DetectedFace face = facegate::FaceAt(20, 10)) {
    auto detector = CreateUprightDetector(std::make_unique<MarkDetector>(calls_, std::move(face)),
                                          ConstantLook(logit));
    EXPECT_THAT(detector.status(), IsOk());
    return *std::move(detector);
  }

  int calls_ = 0;
};

TEST_F(UprightDetectorTest, TakesAPlausibleUprightFaceAtOnce) {
  const auto detector = Make(kSure);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(MarkedPicture(0)));
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].quarter_turns, 0);
  EXPECT_EQ(calls_, 1);
  ASSERT_TRUE(faces[0].second_look.has_value());
  EXPECT_GT(faces[0].second_look->presence, 0.9);
  EXPECT_EQ(detector->name(), "mark");
}

TEST_F(UprightDetectorTest, FindsTurnedFacesAndPutsThemWhereTheyAre) {
  const auto detector = Make(kSure);
  for (const int turns : {1, 2, 3}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(MarkedPicture(turns)));
    ASSERT_EQ(faces.size(), 1U);
    EXPECT_EQ(faces[0].quarter_turns, turns);
    // The eye at (x, y) of the turned picture, in the given one.
    const cv::Point2f eye = facegate::FaceAt(20, 10).landmarks[0];
    const std::vector<cv::Point2f> expected = {
        eye, {eye.y, 199 - eye.x}, {299 - eye.x, 199 - eye.y}, {299 - eye.y, eye.x}};
    EXPECT_NEAR(faces[0].landmarks[0].x, expected[static_cast<size_t>(turns)].x, 1e-3);
    EXPECT_NEAR(faces[0].landmarks[0].y, expected[static_cast<size_t>(turns)].y, 1e-3);
    // The box from (20, 10) on, 112 pixels wide and high; edges, not centres of pixels.
    const std::vector<cv::Rect2f> boxes = {
        {20, 10, 112, 112}, {10, 68, 112, 112}, {168, 78, 112, 112}, {178, 20, 112, 112}};
    EXPECT_EQ(faces[0].box, boxes[static_cast<size_t>(turns)]);
  }
}

TEST_F(UprightDetectorTest, AlignsATurnedFaceAsTheTurnedPictureIs) {
  Image upright = MarkedPicture(0);
  cv::RNG random(3);
  random.fill(upright.bgr, cv::RNG::UNIFORM, 0, 200);
  upright.bgr.at<cv::Vec3b>(0, 0) = {255, 255, 255};
  Image turned;
  cv::rotate(upright.bgr, turned.bgr, cv::ROTATE_90_CLOCKWISE);
  const auto detector = Make(kSure);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(turned));
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].quarter_turns, 3);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace crop, AlignFace(turned, faces[0].landmarks,
                                                                  AlignmentTemplate::kArcFace112));
  EXPECT_LE(cv::norm(crop.bgr, upright.bgr(cv::Rect(20, 10, 112, 112)), cv::NORM_INF), 1);
}

TEST_F(UprightDetectorTest, KeepsAnImplausibleFaceWhereNoTurnHasABetterOne) {
  const auto detector = Make(kDenying);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(MarkedPicture(0)));
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].quarter_turns, 0);
  EXPECT_LT(faces[0].second_look->presence, 0.1);
  EXPECT_EQ(calls_, 4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto none, detector->Detect(MarkedPicture(2)));
  EXPECT_TRUE(none.empty());
}

TEST_F(UprightDetectorTest, TakesFacesOfTwoLandmarksToo) {
  DetectedFace eyes = facegate::FaceAt(20, 10);
  eyes.landmarks.resize(2);
  const auto detector = Make(kSure, eyes);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(MarkedPicture(3)));
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].quarter_turns, 3);
  EXPECT_EQ(faces[0].landmarks.size(), 2U);
}

TEST_F(UprightDetectorTest, TakesAFaceWithoutLandmarksForNoPlausibleOne) {
  DetectedFace blind = facegate::FaceAt(20, 10);
  blind.landmarks.clear();
  const auto detector = Make(kSure, blind);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(MarkedPicture(0)));
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_FALSE(faces[0].second_look.has_value());
}

TEST_F(UprightDetectorTest, AsksBetweenTheTurnsWhetherToStop) {
  const auto detector = Make(kSure);
  int asked = 0;
  const auto faces = detector->Detect(MarkedPicture(3), [&]() -> Status {
    return ++asked < 4 ? OkStatus() : Unavailable("stopped");
  });
  EXPECT_THAT(faces.status(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(calls_, 2);
}

TEST_F(UprightDetectorTest, RefusesWeightsOfAnotherNetwork) {
  LandmarkWeights weights = ConstantLook(0);
  weights.tensors.erase("hidden.weight");
  EXPECT_THAT(CreateUprightDetector(std::make_unique<FakeDetector>(), weights).status(),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
