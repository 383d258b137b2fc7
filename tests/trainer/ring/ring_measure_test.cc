#include "trainer/ring/ring_measure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

RingPoint At(double degrees, double length = 1.0) {
  const double angle = degrees * std::numbers::pi / 180.0;
  return {.x = length * std::cos(angle), .y = length * std::sin(angle)};
}

TEST(RingMeasureTest, MeasuresAnglesWhateverTheLengths) {
  const std::vector<RingPoint> points = {At(10, 5.0), At(30, 0.1), At(170), At(-170, 2.0)};
  const std::vector<uint8_t> labels = {0, 0, 1, 1};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingMeasure measure, MeasureRing(points, labels, 2));
  EXPECT_NEAR(measure.intra_class_angle, 10.0, 1e-9);
  EXPECT_NEAR(measure.smallest_inter_class_angle, 160.0, 1e-9);
  EXPECT_NEAR(measure.directions[0].x, At(20).x, 1e-12);
  EXPECT_NEAR(measure.directions[1].x, -1.0, 1e-12);
}

TEST(RingMeasureTest, FindsTheNearestTwoOfManyClasses) {
  const std::vector<RingPoint> points = {At(0), At(120), At(179), At(-175), At(-90)};
  const std::vector<uint8_t> labels = {0, 1, 2, 3, 4};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingMeasure measure, MeasureRing(points, labels, 5));
  EXPECT_NEAR(measure.intra_class_angle, 0.0, 1e-9);
  EXPECT_NEAR(measure.smallest_inter_class_angle, 6.0, 1e-9);
}

TEST(RingMeasureTest, KeepsTinyAngles) {
  const std::vector<RingPoint> points = {At(45 - 1e-5), At(45 + 1e-5), At(200)};
  const std::vector<uint8_t> labels = {0, 0, 1};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingMeasure measure, MeasureRing(points, labels, 2));
  EXPECT_NEAR(measure.intra_class_angle, 2e-5 / 3.0, 1e-9);
}

TEST(RingMeasureTest, RefusesWhatHasNoDirection) {
  const auto refused = [](const std::vector<RingPoint>& points, const std::vector<uint8_t>& labels,
                          size_t classes) {
    EXPECT_THAT(MeasureRing(points, labels, classes), StatusIs(StatusCode::kInvalidArgument));
  };
  refused({At(0)}, {0}, 1);
  refused({At(0)}, {0, 1}, 2);
  refused({At(0), At(0)}, {0, 2}, 2);
  refused({At(0), At(0)}, {0, 0}, 2);               // a class without embeddings
  refused({At(0), At(0, 0.0)}, {0, 1}, 2);          // the origin
  refused({At(0), At(180), At(90)}, {0, 0, 1}, 2);  // directions that cancel out
  refused({At(0), At(0, NAN)}, {0, 1}, 2);
}

}  // namespace
}  // namespace facegate
