#include "face/detect/eye_fusion.h"

namespace facegate {
namespace {

// One axis: unknowns are the left and the right eye. Their middle m = (l + r) / 2 and span s = r -
// l have precisions p_m and p_s, which makes the precision matrix of (l, r)
//   [p_m/4 + p_s, p_m/4 - p_s; p_m/4 - p_s, p_m/4 + p_s];
// each sighting adds its own precision on the diagonal.
class AxisSolver {
 public:
  AxisSolver(double middle_mean, double middle_variance, double span_mean, double span_variance)
      : left_mean_(middle_mean - span_mean / 2), right_mean_(middle_mean + span_mean / 2) {
    const double middle = 0.25 / middle_variance;
    const double span = 1 / span_variance;
    left_ = right_ = middle + span;
    both_ = middle - span;
  }

  void Add(int side, double position, double variance) {
    if (side == 0) {
      left_ += 1 / variance;
      left_pull_ += (position - left_mean_) / variance;
    } else {
      right_ += 1 / variance;
      right_pull_ += (position - right_mean_) / variance;
    }
  }

  std::array<double, 2> Solve() const {
    const double determinant = left_ * right_ - both_ * both_;
    return {left_mean_ + (left_pull_ * right_ - both_ * right_pull_) / determinant,
            right_mean_ + (left_ * right_pull_ - both_ * left_pull_) / determinant};
  }

 private:
  const double left_mean_, right_mean_;
  double left_ = 0, right_ = 0, both_ = 0;
  double left_pull_ = 0, right_pull_ = 0;
};

}  // namespace

std::array<cv::Point2d, 2> FuseEyes(const EyePrior& prior,
                                    const std::vector<EyeSighting>& sightings) {
  AxisSolver across(prior.middle_mean.x, prior.middle_variance.x, prior.span_mean.x,
                    prior.span_variance.x);
  AxisSolver down(prior.middle_mean.y, prior.middle_variance.y, prior.span_mean.y,
                  prior.span_variance.y);
  for (const EyeSighting& sighting : sightings) {
    across.Add(sighting.side, sighting.position.x, sighting.variance.x);
    down.Add(sighting.side, sighting.position.y, sighting.variance.y);
  }
  const std::array<double, 2> x = across.Solve();
  const std::array<double, 2> y = down.Solve();
  return {cv::Point2d(x[0], y[0]), cv::Point2d(x[1], y[1])};
}

}  // namespace facegate
