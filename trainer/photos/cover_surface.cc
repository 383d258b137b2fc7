#include "trainer/photos/cover_surface.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace facegate {
namespace {

// Smooth spots, or fine grain for a `cell` of a pixel: mean 0, deviation `deviation`.
cv::Mat Spots(cv::Size size, double cell, double deviation, RandomStream& random) {
  const cv::Size coarse(std::max(2, static_cast<int>(size.width / cell) + 2),
                        std::max(2, static_cast<int>(size.height / cell) + 2));
  cv::Mat spots(coarse, CV_32F);
  for (int y = 0; y < coarse.height; ++y) {
    for (int x = 0; x < coarse.width; ++x) {
      spots.at<float>(y, x) = static_cast<float>(deviation * random.Normal());
    }
  }
  cv::Mat large;
  cv::resize(spots, large, size, 0, 0, cv::INTER_CUBIC);
  return large;
}

// Waves of `period` pixels across the direction `angle`.
cv::Mat Stripes(cv::Size size, double period, double angle, double height) {
  cv::Mat stripes(size, CV_32F);
  const double step = 2.0 * std::numbers::pi / std::max(2.0, period);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double way = std::cos(angle) * x + std::sin(angle) * y;
      stripes.at<float>(y, x) = static_cast<float>(height * std::sin(step * way));
    }
  }
  return stripes;
}

// Light that grows in a random direction, from -height to height over the picture.
cv::Mat Slope(cv::Size size, double height, RandomStream& random) {
  const double angle = random.Uniform(0, 2.0 * std::numbers::pi);
  const double reach = std::max(1.0, 0.5 * std::hypot(size.width, size.height));
  cv::Mat slope(size, CV_32F);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double way = std::cos(angle) * (x - size.width / 2.0) +  //
                         std::sin(angle) * (y - size.height / 2.0);
      slope.at<float>(y, x) = static_cast<float>(height * way / reach);
    }
  }
  return slope;
}

// Its colour, with the relief of light and texture.
cv::Mat Surface(cv::Size size, const cv::Vec3d& colour, const cv::Mat& relief) {
  cv::Mat surface(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    auto* const row = surface.ptr<cv::Vec3b>(y);
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        row[x][c] = cv::saturate_cast<uchar>(colour[c] + relief.at<float>(y, x));
      }
    }
  }
  return surface;
}

// `unit`: pixels of the distance of the eyes.
cv::Mat RandomRelief(cv::Size size, double unit, RandomStream& random) {
  cv::Mat relief = Slope(size, random.Uniform(0, 45), random);
  const double kind = random.Uniform();
  if (kind < 0.2) {
    relief += Stripes(size, unit * random.Uniform(0.08, 0.6), random.Uniform(0, std::numbers::pi),
                      random.Uniform(8, 60));
  } else if (kind < 0.55) {
    relief += Spots(size, unit * random.Uniform(0.06, 0.6), random.Uniform(8, 45), random);
  } else if (kind < 0.75) {
    relief += Spots(size, 1.0, random.Uniform(4, 40), random);
  }
  return relief;
}

// Draws `surface`, which is of the size of `place`, inside the outline with a soft edge.
void Lay(const cv::Mat& surface, const CoverSurface& thing, cv::Rect place, cv::Mat& photo) {
  constexpr int kShift = 4;  // fixed point of cv::fillPoly
  std::vector<cv::Point> points;
  points.reserve(thing.outline.size());
  for (const cv::Point2d& point : thing.outline) {
    points.emplace_back((point - cv::Point2d(place.tl())) * (1 << kShift));
  }
  cv::Mat cover = cv::Mat::zeros(place.size(), CV_8U);
  cv::fillPoly(cover, std::vector<std::vector<cv::Point>>{points}, 255, cv::LINE_AA, kShift);
  if (thing.softness > 0.3) cv::GaussianBlur(cover, cover, {0, 0}, thing.softness);
  cv::Mat part = photo(place);
  for (int y = 0; y < place.height; ++y) {
    auto* const row = part.ptr<cv::Vec3b>(y);
    for (int x = 0; x < place.width; ++x) {
      const double share = thing.opacity * cover.at<uchar>(y, x) / 255.0;
      if (share <= 0.0) continue;
      const auto& front = surface.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) {
        row[x][c] = cv::saturate_cast<uchar>(share * front[c] + (1.0 - share) * row[x][c]);
      }
    }
  }
}

// The part of the picture that an outline lies in, with room for a soft edge; may be empty.
cv::Rect PlaceOf(const std::vector<cv::Point2d>& outline, double margin, const cv::Mat& photo) {
  cv::Point2d least = outline.front();
  cv::Point2d most = outline.front();
  for (const cv::Point2d& point : outline) {
    least = {std::min(least.x, point.x), std::min(least.y, point.y)};
    most = {std::max(most.x, point.x), std::max(most.y, point.y)};
  }
  // Faces near the border of a picture have parts outside it.
  const auto inside = [](double value, int side) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(side)));
  };
  const int x = inside(least.x - margin, photo.cols);
  const int y = inside(least.y - margin, photo.rows);
  return {x, y, inside(most.x + margin + 1.0, photo.cols) - x,
          inside(most.y + margin + 1.0, photo.rows) - y};
}

}  // namespace

void LayCover(const CoverSurface& cover, RandomStream& random, cv::Mat& photo) {
  const cv::Rect place = PlaceOf(cover.outline, 3.0 * cover.softness + 2.0, photo);
  if (place.empty()) return;
  const cv::Mat relief = cover.smooth ? Slope(place.size(), random.Uniform(0, 25), random)
                                      : RandomRelief(place.size(), cover.unit, random);
  Lay(Surface(place.size(), cover.colour, relief), cover, place, photo);
}

}  // namespace facegate
