#include "trainer/photos/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "face/image/preprocessing.h"

namespace facegate {
namespace {

constexpr double kLeastErased = 0.02;
constexpr double kLeastAspect = 0.3;
constexpr double kLeastKept = 0.2;

int Rounded(double value) { return static_cast<int>(std::lround(value)); }

void ShiftAndZoom(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  const double zoom = 1.0 - random.Uniform(0.0, options.crop_zoom);
  const double shift_x = random.Uniform(-1.0, 1.0) * options.crop_shift * picture.cols;
  const double shift_y = random.Uniform(-1.0, 1.0) * options.crop_shift * picture.rows;
  const double turn = random.Uniform(-1.0, 1.0) * options.crop_turn * CV_PI / 180.0;
  const double x = (picture.cols - 1) / 2.0;
  const double y = (picture.rows - 1) / 2.0;
  const double cosine = zoom * std::cos(turn);
  const double sine = zoom * std::sin(turn);
  const cv::Matx23d back(cosine, -sine, x - cosine * x + sine * y + shift_x,  //
                         sine, cosine, y - sine * x - cosine * y + shift_y);
  cv::Mat moved;
  cv::warpAffine(picture, moved, back, picture.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  picture = std::move(moved);
}

// A rectangle of `area` pixels and the aspect ratio, cut to the picture, at a random place.
cv::Rect RandomRectangle(double area, double aspect, const cv::Mat& picture, RandomStream& random) {
  const int width = std::clamp(Rounded(std::sqrt(area * aspect)), 1, picture.cols);
  const int height = std::clamp(Rounded(std::sqrt(area / aspect)), 1, picture.rows);
  const auto x = static_cast<int>(random.Below(static_cast<uint64_t>(picture.cols - width) + 1));
  const auto y = static_cast<int>(random.Below(static_cast<uint64_t>(picture.rows - height) + 1));
  return {x, y, width, height};
}

double RandomAspect(double least, RandomStream& random) {
  return std::exp(random.Uniform(std::log(least), -std::log(least)));
}

void ZeroOutside(RandomStream& random, cv::Mat& picture) {
  const double area = random.Uniform(kLeastKept, 1.0) * static_cast<double>(picture.total());
  const cv::Rect kept = RandomRectangle(area, RandomAspect(0.75, random), picture, random);
  cv::Mat black = cv::Mat::zeros(picture.size(), picture.type());
  picture(kept).copyTo(black(kept));
  picture = std::move(black);
}

cv::Size ShareOf(const cv::Mat& picture, double share) {
  return {std::max(1, Rounded(share * picture.cols)), std::max(1, Rounded(share * picture.rows))};
}

void LowerResolution(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  static constexpr std::array kInterpolations = {
      cv::INTER_NEAREST, cv::INTER_LINEAR, cv::INTER_AREA, cv::INTER_CUBIC, cv::INTER_LANCZOS4};
  if (options.low_resolution_factor > 0.0) {
    cv::Mat small;
    cv::resize(picture, small, ShareOf(picture, 1.0 / options.low_resolution_factor), 0, 0,
               cv::INTER_CUBIC);
    cv::resize(small, picture, picture.size(), 0, 0, cv::INTER_CUBIC);
    return;
  }
  const double share = random.Uniform(options.low_resolution_least, 1.0);
  const int down = kInterpolations[random.Below(kInterpolations.size())];
  const int up = kInterpolations[random.Below(kInterpolations.size())];
  cv::Mat small;
  cv::resize(picture, small, ShareOf(picture, share), 0, 0, down);
  cv::Mat large;
  cv::resize(small, large, picture.size(), 0, 0, up);
  picture = std::move(large);
}

// Turns the circle of colours; greys stay.
void TurnHue(double turn, cv::Mat& picture) {
  cv::Mat hsv;
  cv::cvtColor(picture, hsv, cv::COLOR_BGR2HSV_FULL);  // a whole turn is 256
  cv::Mat table(1, 256, CV_8UC1);
  const int shift = Rounded(turn * 256.0);
  for (int hue = 0; hue < 256; ++hue) table.at<uint8_t>(hue) = static_cast<uint8_t>(hue + shift);
  cv::Mat turned;
  cv::extractChannel(hsv, turned, 0);
  cv::LUT(turned, table, turned);
  cv::insertChannel(turned, hsv, 0);
  cv::cvtColor(hsv, picture, cv::COLOR_HSV2BGR_FULL);
}

// Changes on 0..255 with saturation; the three in a random order, as torchvision's ColorJitter.
void ChangeColours(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  std::array<int, 3> order = {0, 1, 2};
  random.Shuffle(std::span(order));
  for (const int change : order) {
    if (change == 0) {
      const double factor = 1.0 + random.Uniform(-1.0, 1.0) * options.brightness;
      picture.convertTo(picture, -1, factor, 0.0);
    } else if (change == 1) {
      const double factor = 1.0 + random.Uniform(-1.0, 1.0) * options.contrast;
      const double mean = cv::mean(InGrey(picture))[0];
      picture.convertTo(picture, -1, factor, (1.0 - factor) * mean);
    } else {
      const double factor = 1.0 + random.Uniform(-1.0, 1.0) * options.saturation;
      cv::addWeighted(picture, factor, InGrey(picture), 1.0 - factor, 0.0, picture);
    }
  }
  if (options.hue > 0.0) TurnHue(random.Uniform(-1.0, 1.0) * options.hue, picture);
}

void Blur(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  constexpr double kLeastDeviation = 0.1;
  const double deviation = random.Uniform(kLeastDeviation, options.blur_most);
  cv::GaussianBlur(picture, picture, {}, deviation, deviation, cv::BORDER_REPLICATE);
}

void Erase(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  const double area = random.Uniform(kLeastErased, std::max(kLeastErased, options.erase_most)) *
                      static_cast<double>(picture.total());
  const cv::Rect place = RandomRectangle(area, RandomAspect(kLeastAspect, random), picture, random);
  for (int y = place.y; y < place.y + place.height; ++y) {
    auto* const row = picture.ptr<cv::Vec3b>(y);
    for (int x = place.x; x < place.x + place.width; ++x) {
      const uint64_t bits = random.Next();
      row[x] = {static_cast<uchar>(bits), static_cast<uchar>(bits >> 8),
                static_cast<uchar>(bits >> 16)};
    }
  }
}

}  // namespace

AugmentOptions AdaFaceAugmentation() {
  AugmentOptions options;
  options.zero_crop = 0.2;
  options.low_resolution = 0.2;
  options.photometric = 0.2;
  return options;
}

Status CheckAugmentation(const AugmentOptions& options) {
  const std::pair<std::string_view, double> shares[] = {{"flip", options.flip},
                                                        {"crop", options.crop},
                                                        {"crop_shift", options.crop_shift},
                                                        {"zero_crop", options.zero_crop},
                                                        {"low_resolution", options.low_resolution},
                                                        {"photometric", options.photometric},
                                                        {"brightness", options.brightness},
                                                        {"contrast", options.contrast},
                                                        {"saturation", options.saturation},
                                                        {"grey", options.grey},
                                                        {"erase", options.erase},
                                                        {"erase_most", options.erase_most},
                                                        {"blur", options.blur}};
  for (const auto& [name, value] : shares) {
    if (!(value >= 0.0 && value <= 1.0)) {
      return InvalidArgument(fmt::format("augmentation {} is {}, must be 0 to 1", name, value));
    }
  }
  if (!(options.crop_zoom >= 0.0 && options.crop_zoom < 1.0)) {
    return InvalidArgument(
        fmt::format("augmentation crop_zoom is {}, must be 0 to below 1", options.crop_zoom));
  }
  if (!(options.crop_turn >= 0.0 && options.crop_turn <= 180.0)) {
    return InvalidArgument(
        fmt::format("augmentation crop_turn is {}, must be 0 to 180 degrees", options.crop_turn));
  }
  if (!(options.low_resolution_least > 0.0 && options.low_resolution_least <= 1.0)) {
    return InvalidArgument(
        fmt::format("augmentation low_resolution_least is {}, must be above 0, at most 1",
                    options.low_resolution_least));
  }
  if (!(options.low_resolution_factor == 0.0 ||
        (options.low_resolution_factor >= 1.0 && options.low_resolution_factor <= 64.0))) {
    return InvalidArgument(
        fmt::format("augmentation low_resolution_factor is {}, must be 0, or 1 to 64",
                    options.low_resolution_factor));
  }
  if (!(options.hue >= 0.0 && options.hue <= 0.5)) {
    return InvalidArgument(fmt::format("augmentation hue is {}, must be 0 to 0.5", options.hue));
  }
  if (!(options.blur_most >= 0.1 && options.blur_most <= 16.0)) {
    return InvalidArgument(
        fmt::format("augmentation blur_most is {}, must be 0.1 to 16", options.blur_most));
  }
  return OkStatus();
}

void Augment(const AugmentOptions& options, RandomStream& random, cv::Mat& picture) {
  // A loaded picture may be shared.
  picture = picture.clone();
  if (random.Chance(options.flip)) cv::flip(picture, picture, 1);
  if (random.Chance(options.crop)) ShiftAndZoom(options, random, picture);
  if (random.Chance(options.zero_crop)) ZeroOutside(random, picture);
  if (random.Chance(options.low_resolution)) LowerResolution(options, random, picture);
  if (random.Chance(options.photometric)) ChangeColours(options, random, picture);
  if (random.Chance(options.grey)) picture = InGrey(picture);
  if (random.Chance(options.erase)) Erase(options, random, picture);
  if (random.Chance(options.blur)) Blur(options, random, picture);
}

}  // namespace facegate
