#include "face/detect/face_quality.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

namespace facegate {
namespace {

using ::testing::ElementsAre;

using Component = QualityComponent;

ComponentQuality Measured(Component component, double quality) {
  return {
      .component = component, .value = ValueOfQuality(component, quality, 1.0), .quality = quality};
}

TEST(FaceQualityTest, NamesEachComponentOnceAndTellsWhatToDo) {
  std::set<std::string> names;
  for (const Component component : AllQualityComponents()) {
    EXPECT_TRUE(names.insert(std::string(QualityName(component))).second) << QualityName(component);
    EXPECT_FALSE(QualityUnit(component).empty());
    EXPECT_FALSE(QualityAdvice(component).empty());
  }
  EXPECT_EQ(QualityName(Component::kInterEyeDistance), "inter_eye_distance");
  EXPECT_EQ(QualityName(Component::kExpectedGenuineScore), "expected_genuine_score");
}

TEST(FaceQualityTest, TurnsValuesIntoQualityAndBack) {
  for (const Component component : AllQualityComponents()) {
    for (const double quality : {0.1, kDefaultProbeQuality, kDefaultEnrolQuality, 0.9}) {
      const double value = ValueOfQuality(component, quality, 1.0);
      EXPECT_NEAR(QualityOf(component, value), quality, 1e-9) << QualityName(component);
    }
  }
}

TEST(FaceQualityTest, CountsAnglesToEitherSideAlike) {
  EXPECT_EQ(QualityOf(Component::kHeadYaw, -50), QualityOf(Component::kHeadYaw, 50));
  EXPECT_LT(ValueOfQuality(Component::kHeadYaw, 0.5, -50), 0);
  EXPECT_GT(ValueOfQuality(Component::kHeadYaw, 0.5, 50), 0);
}

TEST(FaceQualityTest, StaysWithinZeroAndOne) {
  for (const Component component : AllQualityComponents()) {
    for (const double value : {-1e9, 0.0, 1e9}) {
      EXPECT_GE(QualityOf(component, value), 0.0);
      EXPECT_LE(QualityOf(component, value), 1.0);
    }
    EXPECT_EQ(QualityOf(component, std::numeric_limits<double>::quiet_NaN()), 0.0);
  }
}

TEST(FaceQualityTest, IsAsGoodAsItsWorstComponent) {
  const FaceQuality whole =
      Combine({Measured(Component::kFacePresence, 0.9), Measured(Component::kSharpness, 0.3),
               Measured(Component::kEyesVisible, 0.7)});
  EXPECT_EQ(whole.score, 0.3);
  ASSERT_EQ(whole.components.size(), 3U);
  // The order is that of the enumeration.
  EXPECT_EQ(whole.components.front().component, Component::kSharpness);
  EXPECT_EQ(Combine({}).score, 0.0);
}

TEST(FaceQualityTest, ListsWhatIsMissingTheWorstFirst) {
  const FaceQuality whole =
      Combine({Measured(Component::kInterEyeDistance, 0.35), Measured(Component::kSharpness, 0.2),
               Measured(Component::kEyesVisible, 0.7)});
  const auto shortcomings = ShortcomingsOf(whole, kDefaultProbeQuality);
  ASSERT_EQ(shortcomings.size(), 2U);
  EXPECT_EQ(shortcomings[0].component, Component::kSharpness);
  EXPECT_EQ(shortcomings[1].component, Component::kInterEyeDistance);
  EXPECT_LT(shortcomings[1].value, shortcomings[1].wanted);
  EXPECT_NEAR(QualityOf(Component::kInterEyeDistance, shortcomings[1].wanted), kDefaultProbeQuality,
              1e-9);
  EXPECT_THAT(ShortcomingsOf(whole, 0.1), ElementsAre());
}

}  // namespace
}  // namespace facegate
