#include <gmock/gmock.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

#include "face/detect/cascade.h"
#include "face/detect/yunet.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "trainer/synthetic/synthetic_face.h"

namespace facegate::synthetic {
namespace {

constexpr size_t kPictures = 60;

RenderedFace Picture(size_t i) {
  auto picture = RenderFace({.seed = 21, .identity = i, .view = i}, {.width = 320, .height = 320});
  EXPECT_THAT(picture, IsOk());
  return *std::move(picture);
}

TEST(SyntheticDetectionTest, CascadeFindsOneFaceInNearlyAllPictures) {
  const auto detector = CreateCascadeDetector({});
  ASSERT_THAT(detector, IsOk());
  size_t one = 0;
  for (size_t i = 0; i < kPictures; ++i) {
    const auto faces = (*detector)->Detect({.bgr = Picture(i).picture});
    ASSERT_THAT(faces, IsOk());
    if (faces->size() == 1) ++one;
  }
  EXPECT_GE(one, kPictures * 90 / 100);
}

TEST(SyntheticDetectionTest, YuNetFindsOneFaceAndItsLandmarks) {
  FACEGATE_DATA_OR_SKIP(data);
  const auto detector =
      CreateYuNetDetector({.model_path = (data / "detectors" / "yunet_n_dynamic.onnx").string()});
  ASSERT_THAT(detector, IsOk());
  size_t one = 0;
  std::vector<double> errors;  // shares of the eye distance
  for (size_t i = 0; i < kPictures; ++i) {
    const RenderedFace drawn = Picture(i);
    const auto faces = (*detector)->Detect({.bgr = drawn.picture});
    ASSERT_THAT(faces, IsOk());
    if (faces->size() != 1) continue;
    ++one;
    const double eye_distance = cv::norm(drawn.landmarks[1] - drawn.landmarks[0]);
    for (size_t j = 0; j < drawn.landmarks.size(); ++j) {
      errors.push_back(cv::norm(faces->front().landmarks[j] - drawn.landmarks[j]) / eye_distance);
    }
  }
  EXPECT_GE(one, kPictures * 97 / 100);
  ASSERT_FALSE(errors.empty());
  std::nth_element(errors.begin(), errors.begin() + static_cast<ptrdiff_t>(errors.size() / 2),
                   errors.end());
  EXPECT_LE(errors[errors.size() / 2], 0.08);
}

}  // namespace
}  // namespace facegate::synthetic
