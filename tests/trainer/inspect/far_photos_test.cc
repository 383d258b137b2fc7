#include "trainer/inspect/far_photos.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

float CosineOfDegrees(double degrees) {
  return static_cast<float>(std::cos(degrees * std::numbers::pi / 180.0));
}

// Photos of two classes with two centres each, by their angles.
CenterCosines CosinesOf(const std::vector<std::pair<double, double>>& angles,
                        std::vector<uint32_t> labels) {
  CenterCosines cosines{
      .centers = 2, .classes = 2, .trained = labels.size(), .labels = std::move(labels)};
  for (const auto& [first, second] : angles) {
    cosines.cosines.push_back(CosineOfDegrees(first));
    cosines.cosines.push_back(CosineOfDegrees(second));
  }
  return cosines;
}

TEST(FarPhotosTest, TheCentreOfMostPhotosIsDominant) {
  const auto far =
      FindFarPhotos(CosinesOf({{90, 20}, {80, 30}, {10, 85}, {5, 70}}, {0, 0, 0, 1}), 75.0);
  ASSERT_THAT(far, IsOk());
  EXPECT_EQ(far->classes[0].dominant, 1U);
  EXPECT_THAT(far->classes[0].nearest, ElementsAre(1, 2));
  EXPECT_EQ(far->classes[1].dominant, 0U);
  EXPECT_THAT(far->photos, ElementsAre(2)) << "it is near to the other centre alone";
  EXPECT_EQ(far->classes[0].far, 1U);
  EXPECT_EQ(far->classes[1].far, 0U);
}

TEST(FarPhotosTest, OfEquallyManyTheNearerOnesDecide) {
  const auto far = FindFarPhotos(CosinesOf({{40, 90}, {90, 20}}, {0, 0}), 75.0);
  ASSERT_THAT(far, IsOk());
  EXPECT_EQ(far->classes[0].dominant, 1U);
}

TEST(FarPhotosTest, CountsAnglesInBins) {
  const auto far =
      FindFarPhotos(CosinesOf({{7, 90}, {8, 90}, {80, 180}, {180, 180}}, {0, 0, 0, 0}), 180.0);
  ASSERT_THAT(far, IsOk());
  EXPECT_THAT(far->histogram, ElementsAre(2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1));
  EXPECT_THAT(far->photos, IsEmpty());
}

TEST(FarPhotosTest, PhotosThatWereKeptFromTrainingDoNotCount) {
  CenterCosines cosines = CosinesOf({{10, 90}, {80, 20}, {90, 20}}, {0, 0, 0});
  cosines.trained = 1;
  const auto far = FindFarPhotos(cosines, 75.0);
  ASSERT_THAT(far, IsOk());
  EXPECT_EQ(far->classes[0].dominant, 0U) << "most of all photos are near to the other centre";
  EXPECT_EQ(far->classes[0].photos, 1U);
  EXPECT_THAT(far->classes[0].nearest, ElementsAre(1, 0));
  EXPECT_EQ(far->classes[0].far, 0U);
  EXPECT_EQ(std::accumulate(far->histogram.begin(), far->histogram.end(), size_t{0}), 1U);
  EXPECT_THAT(far->photos, ElementsAre(1, 2));
}

TEST(FarPhotosTest, RefusesWhatDoesNotFitTogether) {
  CenterCosines cosines = CosinesOf({{10, 20}}, {0});
  cosines.labels = {2};
  EXPECT_THAT(FindFarPhotos(cosines, 75.0), StatusIs(StatusCode::kInvalidArgument));
  cosines.labels = {0, 0};
  EXPECT_THAT(FindFarPhotos(cosines, 75.0), StatusIs(StatusCode::kInvalidArgument));
  cosines = CosinesOf({{10, 20}}, {0});
  cosines.trained = 2;
  EXPECT_THAT(FindFarPhotos(cosines, 75.0), StatusIs(StatusCode::kInvalidArgument));
  cosines = CosinesOf({{10, 20}}, {0});
  cosines.cosines[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(FindFarPhotos(cosines, 75.0), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
