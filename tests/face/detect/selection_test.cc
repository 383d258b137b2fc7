#include "face/detect/selection.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

cv::Size Picture() { return {200, 100}; }

DetectedFace FaceAt(float x, float y, float width, float score) {
  DetectedFace face;
  face.box = {x, y, width, width};
  face.score = score;
  return face;
}

// They are in the order of score: small in the middle, large at the left, medium at the right.
std::vector<DetectedFace> ThreeFaces() {
  return {FaceAt(92, 42, 16, 0.9f), FaceAt(0, 0, 60, 0.8f), FaceAt(140, 20, 30, 0.7f)};
}

void ExpectSelected(const SelectionRequest& request, float score) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto selected, SelectFaces(ThreeFaces(), request, Picture()));
  ASSERT_EQ(selected.size(), 1U);
  EXPECT_EQ(selected[0].score, score);
}

TEST(SelectFacesTest, RefusesWhereThereIsNoFace) {
  for (const FaceSelection selection :
       {FaceSelection::kSingle, FaceSelection::kLargest, FaceSelection::kCentral,
        FaceSelection::kBox, FaceSelection::kAll}) {
    const auto selected = SelectFaces({}, {selection, {0, 0, 10, 10}}, Picture());
    ASSERT_THAT(selected, RefusedWith(Reason::kNoFace));
    EXPECT_THAT(MessageOf(selected.status()), HasSubstr("200x100"));
  }
}

TEST(SelectFacesTest, SingleTakesTheOnlyFaceAndRefusesMore) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto one,
      SelectFaces({FaceAt(0, 0, 9, 0.4f)}, {FaceSelection::kSingle, {}}, Picture()));
  EXPECT_EQ(one.size(), 1U);
  const auto three = SelectFaces(ThreeFaces(), {FaceSelection::kSingle, {}}, Picture());
  ASSERT_THAT(three, RefusedWith(Reason::kMultipleFaces));
  EXPECT_THAT(MessageOf(three.status()), HasSubstr("3 faces"));
}

TEST(SelectFacesTest, LargestTakesTheLargestBox) {
  ExpectSelected({FaceSelection::kLargest, {}}, 0.8f);
}

TEST(SelectFacesTest, CentralTakesTheNearestToTheMiddle) {
  ExpectSelected({FaceSelection::kCentral, {}}, 0.9f);
}

TEST(SelectFacesTest, CentralMeasuresTheDistanceInFaceWidths) {
  // 20 pixels of a face of 10 are farther than 30 pixels of a face of 60.
  const std::vector<DetectedFace> faces = {FaceAt(115, 45, 10, 0.9f), FaceAt(40, 20, 60, 0.8f)};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto selected,
                                SelectFaces(faces, {FaceSelection::kCentral, {}}, Picture()));
  EXPECT_EQ(selected[0].score, 0.8f);
}

TEST(SelectFacesTest, TakesTheFirstOfEquals) {
  const std::vector<DetectedFace> faces = {FaceAt(50, 45, 10, 0.9f), FaceAt(50, 45, 10, 0.8f)};
  for (const FaceSelection selection : {FaceSelection::kLargest, FaceSelection::kCentral}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto selected,
                                  SelectFaces(faces, {selection, {}}, Picture()));
    EXPECT_EQ(selected[0].score, 0.9f);
  }
}

TEST(SelectFacesTest, BoxTakesTheMostOverlapRelativeToBothBoxes) {
  ExpectSelected({FaceSelection::kBox, {130, 10, 50, 50}}, 0.7f);
  // Covers all three: the large one fills it best.
  ExpectSelected({FaceSelection::kBox, {0, 0, 200, 100}}, 0.8f);
}

TEST(SelectFacesTest, BoxRefusesWhereNothingOverlaps) {
  for (const cv::Rect2f& box :
       {cv::Rect2f(180, 80, 10, 10), cv::Rect2f(60, 0, 20, 20), cv::Rect2f(0, 0, 0, 0),
        cv::Rect2f(10, 10, -5, -5), cv::Rect2f(NAN, 0, 10, 10)}) {
    EXPECT_THAT(SelectFaces(ThreeFaces(), {FaceSelection::kBox, box}, Picture()),
                RefusedWith(Reason::kNoFace));
  }
}

TEST(SelectFacesTest, AllKeepsEveryFaceInOrder) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto selected,
                                SelectFaces(ThreeFaces(), {FaceSelection::kAll, {}}, Picture()));
  ASSERT_EQ(selected.size(), 3U);
  EXPECT_EQ(selected[2].score, 0.7f);
}

}  // namespace
}  // namespace facegate
