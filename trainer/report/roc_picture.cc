#include "trainer/report/roc_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "trainer/drawing/text.h"
#include "trainer/report/score_curves.h"

namespace facegate::report {
namespace {

constexpr int kWidth = 480;
constexpr int kHeight = 360;
constexpr size_t kThresholds = 400;
constexpr int kSubpixelBits = 4;

cv::Rect PlotArea() { return {52, 16, 412, 300}; }
cv::Scalar GridColour() { return {224, 224, 224}; }
cv::Scalar FrameColour() { return {120, 120, 120}; }
cv::Scalar CurveColour() { return {180, 90, 20}; }

// Places of rates on the plot; the scale begins at 10^-decades.
class Scale {
 public:
  explicit Scale(int decades) : decades_(decades) {}

  double X(double far) const {
    const double exponent = std::log10(std::max(far, std::pow(10.0, -decades_)));
    return PlotArea().x + PlotArea().width * (1.0 + exponent / decades_);
  }
  double Y(double tar) const { return PlotArea().y + PlotArea().height * (1.0 - tar); }
  cv::Point At(double far, double tar) const {
    constexpr double kSubpixels = 1 << kSubpixelBits;
    return {static_cast<int>(std::lround(X(far) * kSubpixels)),
            static_cast<int>(std::lround(Y(tar) * kSubpixels))};
  }

 private:
  const double decades_;
};

int DecadesOf(size_t impostors) {
  const double shown = std::log10(static_cast<double>(std::max<size_t>(10, impostors)));
  return std::clamp(static_cast<int>(std::ceil(shown)), 1, 7);
}

void DrawGrid(const Scale& scale, int decades, cv::Mat& picture) {
  const TextStyle style{.height = 9.0};
  for (int decade = 0; decade <= decades; ++decade) {
    const double far = std::pow(10.0, -decade);
    const int x = static_cast<int>(std::lround(scale.X(far)));
    cv::line(picture, {x, PlotArea().y}, {x, PlotArea().y + PlotArea().height}, GridColour());
    const std::string label = fmt::format("{:g}", far);
    DrawTextLine(picture, label,
                 {x - TextWidth(label, style) / 2, PlotArea().y + PlotArea().height + 15}, style);
  }
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const int y = static_cast<int>(std::lround(scale.Y(tenth / 10.0)));
    cv::line(picture, {PlotArea().x, y}, {PlotArea().x + PlotArea().width, y}, GridColour());
    const std::string label = fmt::format("{:.1f}", tenth / 10.0);
    DrawTextLine(picture, label, {PlotArea().x - TextWidth(label, style) - 6, y + 4}, style);
  }
  cv::rectangle(picture, PlotArea(), FrameColour());
  const std::string axes = "true accept rate over false accept rate";
  DrawTextLine(picture, axes, {PlotArea().x, kHeight - 8}, style);
}

}  // namespace

cv::Mat RocPicture(const ScoreDistribution& scores) {
  cv::Mat picture(kHeight, kWidth, CV_8UC3, cv::Scalar::all(255));
  const int decades = DecadesOf(scores.impostor().size());
  const Scale scale(decades);
  DrawGrid(scale, decades, picture);
  // From the highest threshold on, which accepts nobody.
  std::vector<cv::Point> points = {scale.At(0.0, 0.0)};
  for (const ErrorRates& rates : ErrorCurve(scores, kThresholds)) {
    const double tar = 1.0 - rates.false_non_match;
    points.push_back(scale.At(rates.false_match, tar));
  }
  points.push_back(scale.At(1.0, 1.0));
  cv::polylines(picture, points, false, CurveColour(), 2, cv::LINE_AA, kSubpixelBits);
  return picture;
}

}  // namespace facegate::report
