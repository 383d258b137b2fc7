#include "trainer/ring/ring_figure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <utility>

#include "face/base/check.h"
#include "trainer/drawing/text.h"

namespace facegate {
namespace {

// Everything is drawn twice as large and averaged at the end: even edges.
constexpr int kFine = 2;
// Pixels of the result.
constexpr int kPanelWidth = 800;
constexpr int kHeight = 1010;
constexpr double kTitleLine = 56.0;  // baselines
constexpr double kSubtitleLine = 88.0;
constexpr double kPanelTitleLine = 146.0;
constexpr double kCentreLine = 526.0;
constexpr double kFiguresLine = 922.0;
constexpr double kLegendLine = 972.0;
constexpr double kCloudRadius = 300.0;
constexpr double kBandInner = 308.0;
constexpr double kBandOuter = 330.0;
constexpr double kDigitRadius = 350.0;
constexpr double kPointRadius = 1.6;
constexpr double kPointCover = 0.5;
constexpr double kLegendStep = 52.0;

constexpr size_t kBins = 1440;     // of directions, a quarter of a degree each
constexpr double kFullBin = 16.0;  // embeddings in a bin that give nearly its full colour

// Each 0..255.
struct Colour {
  double blue = 0.0;
  double green = 0.0;
  double red = 0.0;

  cv::Scalar Scalar() const { return {blue, green, red}; }
  Colour Times(double share) const { return {blue * share, green * share, red * share}; }
  Colour Plus(const Colour& other) const {
    return {blue + other.blue, green + other.green, red + other.red};
  }
};

constexpr Colour kInk{51, 43, 38};
constexpr Colour kSoftInk{125, 117, 110};
constexpr Colour kGrid{232, 228, 225};
constexpr double kDarker = 0.62;

// Ten that differ in hue and lightness.
constexpr std::array<Colour, 10> kColours = {{{180, 119, 31},
                                              {14, 127, 255},
                                              {44, 160, 44},
                                              {40, 39, 214},
                                              {189, 103, 148},
                                              {75, 86, 140},
                                              {194, 119, 227},
                                              {122, 122, 122},
                                              {34, 184, 188},
                                              {207, 190, 23}}};

const Colour& ColourOf(size_t label) { return kColours[label % kColours.size()]; }

void Blend(cv::Vec3b& pixel, const Colour& colour, double cover) {
  const std::array<double, 3> channels = {colour.blue, colour.green, colour.red};
  for (int c = 0; c < 3; ++c) {
    const double there = pixel[c];
    pixel[c] =
        cv::saturate_cast<uint8_t>(there + cover * (channels[static_cast<size_t>(c)] - there));
  }
}

// Positions are in pixels of the result, y downwards.
class Canvas {
 public:
  Canvas(int width, int height)
      : fine_(kFine * height, kFine * width, CV_8UC3, cv::Scalar::all(255)) {}

  // Exact cover by the distance from the edge.
  void Disc(const RingPoint& centre, double radius, const Colour& colour, double cover) {
    const double x = centre.x * kFine;
    const double y = centre.y * kFine;
    const double r = radius * kFine;
    ForBox(x, y, r + 1.0, [&](int column, int row, cv::Vec3b& pixel) {
      const double inside = r + 0.5 - std::hypot(column - x, row - y);
      if (inside > 0.0) Blend(pixel, colour, cover * std::min(1.0, inside));
    });
  }

  void Circle(const RingPoint& centre, double radius, const Colour& colour, double width) {
    cv::circle(fine_, At(centre), static_cast<int>(std::lround(radius * kFine * kUnit)),
               colour.Scalar(), Width(width), cv::LINE_AA, kShift);
  }

  void Line(const RingPoint& from, const RingPoint& to, const Colour& colour, double width) {
    cv::line(fine_, At(from), At(to), colour.Scalar(), Width(width), cv::LINE_AA, kShift);
  }

  // A ring whose colour and cover are functions of the direction (radians, against the clock).
  template <typename ByAngle>
  void Band(const RingPoint& centre, const ByAngle& by_angle) {
    const double x = centre.x * kFine;
    const double y = centre.y * kFine;
    ForBox(x, y, kBandOuter * kFine + 1.0, [&](int column, int row, cv::Vec3b& pixel) {
      const double distance = std::hypot(column - x, row - y);
      const double inside = std::min(kBandOuter * kFine - distance, distance - kBandInner * kFine);
      if (inside <= -0.5) return;
      const auto [colour, cover] = by_angle(std::atan2(y - row, column - x));
      Blend(pixel, colour, cover * std::min(1.0, inside + 0.5));
    });
  }

  // Centred on x, its baseline at y. OpenCV's letters are ASCII: the degree sign is a circle.
  void Text(const std::string& text, const RingPoint& place, double height, const Colour& colour,
            bool bold) {
    const TextStyle style{.height = height * kFine, .colour = colour.Scalar(), .bold = bold};
    const double sign = height * kFine * 0.55;  // width of the degree sign
    double width = 0.0;
    ForParts(text, [&](const std::string& part, bool degree) {
      width += TextWidth(part, style) + (degree ? sign : 0.0);
    });
    double x = place.x * kFine - width / 2.0;
    const double y = place.y * kFine;
    ForParts(text, [&](const std::string& part, bool degree) {
      DrawTextLine(fine_, part,
                   {static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y))}, style);
      x += TextWidth(part, style);
      if (!degree) return;
      const double radius = height * 0.16;
      Circle({.x = (x + sign * 0.4) / kFine, .y = place.y - height + radius}, radius, colour,
             height * (bold ? 0.13 : 0.09));
      x += sign;
    });
  }

  cv::Mat Result() const {
    cv::Mat result;
    cv::resize(fine_, result, fine_.size() / kFine, 0.0, 0.0, cv::INTER_AREA);
    return result;
  }

 private:
  static constexpr int kShift = 4;  // bits behind the point in OpenCV's coordinates
  static constexpr double kUnit = 1 << kShift;

  static cv::Point At(const RingPoint& place) {
    return {static_cast<int>(std::lround(place.x * kFine * kUnit)),
            static_cast<int>(std::lround(place.y * kFine * kUnit))};
  }
  static int Width(double width) {
    return std::max(1, static_cast<int>(std::lround(width * kFine)));
  }

  // Calls with the text before each degree sign and true, then with what is left and false.
  template <typename Visit>
  static void ForParts(const std::string& text, const Visit& visit) {
    constexpr std::string_view kDegree = "\u00b0";
    size_t begin = 0;
    for (size_t end = 0; (end = text.find(kDegree, begin)) != std::string::npos;
         begin = end + kDegree.size()) {
      visit(text.substr(begin, end - begin), true);
    }
    visit(text.substr(begin), false);
  }

  template <typename Visit>
  void ForBox(double x, double y, double radius, const Visit& visit) {
    const int top = std::max(0, static_cast<int>(std::floor(y - radius)));
    const int bottom = std::min(fine_.rows - 1, static_cast<int>(std::ceil(y + radius)));
    const int left = std::max(0, static_cast<int>(std::floor(x - radius)));
    const int right = std::min(fine_.cols - 1, static_cast<int>(std::ceil(x + radius)));
    for (int row = top; row <= bottom; ++row) {
      auto* const pixels = fine_.ptr<cv::Vec3b>(row);
      for (int column = left; column <= right; ++column) visit(column, row, pixels[column]);
    }
  }

  cv::Mat fine_;
};

RingPoint Along(const RingPoint& centre, const RingPoint& direction, double length) {
  return {.x = centre.x + direction.x * length, .y = centre.y - direction.y * length};
}

// The embeddings' directions, counted by class.
struct Bin {
  Colour colour{};  // sum over embeddings
  double count = 0.0;
};

std::vector<Bin> CountDirections(const RingPanel& panel) {
  std::vector<Bin> bins(kBins);
  for (size_t i = 0; i < panel.embeddings.size(); ++i) {
    const double turn =
        std::atan2(panel.embeddings[i].y, panel.embeddings[i].x) / (2.0 * std::numbers::pi) + 1.0;
    Bin& bin = bins[static_cast<size_t>(turn * kBins) % kBins];
    bin.colour = bin.colour.Plus(ColourOf(panel.labels[i]));
    bin.count += 1.0;
  }
  return bins;
}

void DrawBand(Canvas& canvas, const RingPanel& panel, const RingPoint& centre) {
  const std::vector<Bin> bins = CountDirections(panel);
  canvas.Band(centre, [&](double angle) -> std::pair<Colour, double> {
    const double turn = angle / (2.0 * std::numbers::pi) + 1.0;
    const Bin& bin = bins[static_cast<size_t>(turn * kBins) % kBins];
    if (bin.count == 0.0) return {Colour{}, 0.0};
    return {bin.colour.Times(1.0 / bin.count), 1.0 - std::exp(-bin.count * 3.0 / kFullBin)};
  });
  canvas.Circle(centre, kBandInner, kGrid, 1.0);
  canvas.Circle(centre, kBandOuter, kGrid, 1.0);
}

void DrawCloud(Canvas& canvas, const RingPanel& panel, const RingPoint& centre) {
  double longest = 0.0;
  for (const RingPoint& point : panel.embeddings) {
    longest = std::max(longest, std::hypot(point.x, point.y));
  }
  if (longest == 0.0) return;
  const double scale = (kCloudRadius - kPointRadius) / longest;
  for (size_t i = 0; i < panel.embeddings.size(); ++i) {
    canvas.Disc(Along(centre, panel.embeddings[i], scale), kPointRadius, ColourOf(panel.labels[i]),
                kPointCover);
  }
}

void DrawPanel(Canvas& canvas, const RingPanel& panel, double middle) {
  const RingPoint centre{.x = middle, .y = kCentreLine};
  canvas.Text(panel.title, {.x = middle, .y = kPanelTitleLine}, 15.0, kInk, true);
  canvas.Line({.x = middle - kCloudRadius, .y = kCentreLine},
              {.x = middle + kCloudRadius, .y = kCentreLine}, kGrid, 1.0);
  canvas.Line({.x = middle, .y = kCentreLine - kCloudRadius},
              {.x = middle, .y = kCentreLine + kCloudRadius}, kGrid, 1.0);
  DrawBand(canvas, panel, centre);
  DrawCloud(canvas, panel, centre);
  for (size_t label = 0; label < panel.directions.size(); ++label) {
    const RingPoint& direction = panel.directions[label];
    const Colour ink = ColourOf(label).Times(kDarker);
    canvas.Line(centre, Along(centre, direction, kCloudRadius), ink, 1.0);
    constexpr double kDigit = 14.0;
    RingPoint place = Along(centre, direction, kDigitRadius);
    place.y += kDigit / 2.0;
    canvas.Text(std::to_string(label), place, kDigit, ink, true);
  }
  canvas.Disc(centre, 2.5, kInk, 1.0);
  canvas.Text(panel.figures, {.x = middle, .y = kFiguresLine}, 12.0, kInk, false);
}

void DrawLegend(Canvas& canvas, double middle) {
  constexpr size_t kClasses = 10;
  double x = middle - kLegendStep * (kClasses - 1) / 2.0;
  for (size_t label = 0; label < kClasses; ++label, x += kLegendStep) {
    canvas.Disc({.x = x - 10.0, .y = kLegendLine - 6.0}, 6.5, ColourOf(label), 1.0);
    canvas.Text(std::to_string(label), {.x = x + 8.0, .y = kLegendLine}, 12.0, kInk, false);
  }
}

}  // namespace

cv::Mat DrawRingFigure(const RingFigure& figure) {
  FACEGATE_CHECK(!figure.panels.empty() && figure.panels.size() <= 4);
  const int width = kPanelWidth * static_cast<int>(figure.panels.size());
  const double middle = width / 2.0;
  Canvas canvas(width, kHeight);
  canvas.Text(figure.title, {.x = middle, .y = kTitleLine}, 18.0, kInk, true);
  canvas.Text(figure.subtitle, {.x = middle, .y = kSubtitleLine}, 11.0, kSoftInk, false);
  double panel_middle = kPanelWidth / 2.0;
  for (const RingPanel& panel : figure.panels) {
    FACEGATE_CHECK(panel.embeddings.size() == panel.labels.size());
    DrawPanel(canvas, panel, panel_middle);
    panel_middle += kPanelWidth;
  }
  DrawLegend(canvas, middle);
  return canvas.Result();
}

}  // namespace facegate
