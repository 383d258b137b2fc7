#include "face/detect/non_maximum.h"

#include <gmock/gmock.h>

namespace facegate {
namespace {

DetectedFace FaceAt(float x, float width, float score) {
  DetectedFace face;
  face.box = {x, 0, width, 10};
  face.score = score;
  return face;
}

std::vector<float> ScoresOf(const std::vector<DetectedFace>& faces) {
  std::vector<float> scores;
  scores.reserve(faces.size());
  for (const DetectedFace& face : faces) scores.push_back(face.score);
  return scores;
}

TEST(IntersectionOverUnionTest, GivesTheShareOfTheUnion) {
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0 / 150);
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {2, 3, 4, 5}), 0.2);
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {3, 3, 0, 0}), 0);
}

TEST(NonMaximumTest, DropsTheWeakerOfTwoThatOverlap) {
  const auto kept =
      SuppressNonMaxima({FaceAt(1, 10, 0.5f), FaceAt(0, 10, 0.9f), FaceAt(30, 10, 0.7f)}, 0.3);
  EXPECT_THAT(ScoresOf(kept), testing::ElementsAre(0.9f, 0.7f));
}

TEST(NonMaximumTest, KeepsWhatOverlapsOnlyADroppedOne) {
  // The middle one overlaps both others; these do not overlap each other by more than a third.
  const auto kept =
      SuppressNonMaxima({FaceAt(0, 10, 0.9f), FaceAt(4, 10, 0.8f), FaceAt(8, 10, 0.7f)}, 0.4);
  EXPECT_THAT(ScoresOf(kept), testing::ElementsAre(0.9f, 0.7f));
}

TEST(NonMaximumTest, LooksAtNoMoreThanTheBestCandidates) {
  std::vector<DetectedFace> faces;
  faces.reserve(50);
  for (int i = 0; i < 50; ++i) {
    faces.push_back(FaceAt(static_cast<float>(20 * i), 10, static_cast<float>(i)));
  }
  const auto kept = SuppressNonMaxima(faces, 0.3, 3);
  EXPECT_THAT(ScoresOf(kept), testing::ElementsAre(49, 48, 47));
}

}  // namespace
}  // namespace facegate
