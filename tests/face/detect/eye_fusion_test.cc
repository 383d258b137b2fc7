#include "face/detect/eye_fusion.h"

#include <gmock/gmock.h>

#include <cmath>

namespace facegate {
namespace {

const EyePrior& Prior() {
  static const EyePrior prior{.middle_mean = {0.5, 0.4},
                              .middle_variance = {0.0004, 0.0002},
                              .span_mean = {0.38, 0.0},
                              .span_variance = {0.0009, 0.0016}};
  return prior;
}

// FuseEyes maximises this, as a cost: the sum of squared, variance-scaled residuals.
double Cost(const std::array<cv::Point2d, 2>& eyes, const std::vector<EyeSighting>& sightings) {
  const auto term = [](double residual, double variance) { return residual * residual / variance; };
  const cv::Point2d middle = (eyes[0] + eyes[1]) * 0.5 - Prior().middle_mean;
  const cv::Point2d span = eyes[1] - eyes[0] - Prior().span_mean;
  double cost = term(middle.x, Prior().middle_variance.x) +
                term(middle.y, Prior().middle_variance.y) + term(span.x, Prior().span_variance.x) +
                term(span.y, Prior().span_variance.y);
  for (const EyeSighting& sighting : sightings) {
    const cv::Point2d error = eyes[static_cast<size_t>(sighting.side)] - sighting.position;
    cost += term(error.x, sighting.variance.x) + term(error.y, sighting.variance.y);
  }
  return cost;
}

TEST(EyeFusionTest, GivesTheAverageEyesWithoutSightings) {
  const auto eyes = FuseEyes(Prior(), {});
  EXPECT_NEAR(eyes[0].x, 0.31, 1e-12);
  EXPECT_NEAR(eyes[1].x, 0.69, 1e-12);
  EXPECT_NEAR(eyes[0].y, 0.4, 1e-12);
  EXPECT_NEAR(eyes[1].y, 0.4, 1e-12);
}

TEST(EyeFusionTest, TrustsAnExactSighting) {
  const auto eyes = FuseEyes(Prior(), {{0, {0.28, 0.45}, {1e-12, 1e-12}}});
  EXPECT_NEAR(eyes[0].x, 0.28, 1e-6);
  EXPECT_NEAR(eyes[0].y, 0.45, 1e-6);
}

TEST(EyeFusionTest, MovesTheUnseenEyeAlongByTheirCovariance) {
  const auto eyes = FuseEyes(Prior(), {{0, {0.31, 0.45}, {1e-12, 1e-12}}});
  // Left is middle - span / 2, so with the variances v: E[right] = v_m - v_s / 4 over v_m + v_s
  // / 4.
  const double share = (0.0002 - 0.0016 / 4) / (0.0002 + 0.0016 / 4);
  EXPECT_NEAR(eyes[1].y, 0.4 + 0.05 * share, 1e-6);
  EXPECT_NEAR(eyes[1].x, 0.69, 1e-6);
}

TEST(EyeFusionTest, IsTheLeastSquaresOptimum) {
  const std::vector<EyeSighting> sightings = {{0, {0.29, 0.43}, {0.0003, 0.0005}},
                                              {0, {0.33, 0.37}, {0.0004, 0.0002}},
                                              {1, {0.72, 0.41}, {0.0006, 0.0001}}};
  const auto eyes = FuseEyes(Prior(), sightings);
  const double optimum = Cost(eyes, sightings);
  for (const size_t side : {size_t{0}, size_t{1}}) {
    for (const cv::Point2d& step : {cv::Point2d(1e-3, 0), cv::Point2d(-1e-3, 0),
                                    cv::Point2d(0, 1e-3), cv::Point2d(0, -1e-3)}) {
      auto moved = eyes;
      moved[side] += step;
      EXPECT_GT(Cost(moved, sightings), optimum);
    }
  }
}

}  // namespace
}  // namespace facegate
