#include "trainer/photos/degradation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "face/base/catch.h"
#include "face/base/number_range.h"
#include "face/image/quarter_turns.h"
#include "trainer/photos/face_cover.h"
#include "trainer/synthetic/through_jpeg.h"

namespace facegate {
namespace {

using Kind = DegradationKind;

struct KindFacts {
  Kind kind;
  std::string_view name;
  NumberRange strength{};  // none for kinds without
};

constexpr NumberRange kFactorDown = {0.0, 1.0};
constexpr NumberRange kPixels = {1.0, 65535.0};
constexpr int kPoorQuality = 8;  // of a JPEG
constexpr std::array<KindFacts, 20> kKinds = {{{Kind::kClean, "clean"},
                                               {Kind::kTurn, "turn", {90.0, 270.0}},
                                               {Kind::kShrink, "shrink", kPixels},
                                               {Kind::kShrinkEnlarge, "shrink-enlarge", kPixels},
                                               {Kind::kPixelate, "pixelate", kPixels},
                                               {Kind::kShrinkJpeg, "shrink-jpeg", kPixels},
                                               {Kind::kBrightness, "brightness", kFactorDown},
                                               {Kind::kOverExposure, "over-exposure", {1.0, 255.0}},
                                               {Kind::kContrast, "contrast", kFactorDown},
                                               {Kind::kBlur, "blur", {0.1, 1000.0}},
                                               {Kind::kMotionBlur, "motion-blur", {1.0, 1000.0}},
                                               {Kind::kJpeg, "jpeg", {1.0, 100.0}},
                                               {Kind::kNoise, "noise", {0.0, 255.0}},
                                               {Kind::kNegative, "negative"},
                                               {Kind::kHideLeft, "hide-left", {0.0, 1.0}},
                                               {Kind::kHideRight, "hide-right", {0.0, 1.0}},
                                               {Kind::kHideUpper, "hide-upper", {0.0, 1.0}},
                                               {Kind::kHideLower, "hide-lower", {0.0, 1.0}},
                                               {Kind::kDarkGlasses, "dark-glasses"},
                                               {Kind::kMask, "mask"}}};

constexpr Degradation kCells[] = {
    {Kind::kClean},
    {Kind::kTurn, 90},
    {Kind::kTurn, 180},
    {Kind::kTurn, 270},
    {Kind::kShrink, 15},
    {Kind::kShrink, 20},
    {Kind::kShrink, 30},
    {Kind::kShrink, 40},
    {Kind::kShrink, 60},
    {Kind::kShrinkEnlarge, 20},
    {Kind::kShrinkEnlarge, 40},
    {Kind::kPixelate, 36},
    {Kind::kShrinkJpeg, 80},
    {Kind::kShrinkJpeg, 100},
    {Kind::kBrightness, 0.05},
    {Kind::kBrightness, 0.12},
    {Kind::kBrightness, 0.3},
    {Kind::kOverExposure, 3},
    {Kind::kOverExposure, 6},
    {Kind::kContrast, 0.15},
    {Kind::kBlur, 1.5},
    {Kind::kBlur, 4},
    {Kind::kBlur, 8},
    {Kind::kMotionBlur, 20},
    {Kind::kJpeg, 5},
    {Kind::kNoise, 30},
    {Kind::kNoise, 80},
    {Kind::kNegative},
    {Kind::kHideLeft, 0.5},
    {Kind::kHideRight, 0.5},
    {Kind::kHideUpper, 0.5},
    {Kind::kHideLower, 0.5},
    {Kind::kDarkGlasses},
    {Kind::kMask},
};

struct DrawnKind {
  Kind kind;
  double mild = 0.0;
  double hopeless = 0.0;
};
constexpr std::array<DrawnKind, 14> kDrawnKinds = {{{Kind::kShrinkEnlarge, 60, 8},
                                                    {Kind::kShrinkEnlarge, 60, 8},
                                                    {Kind::kBrightness, 0.4, 0.03},
                                                    {Kind::kOverExposure, 1.5, 6},
                                                    {Kind::kContrast, 0.5, 0.05},
                                                    {Kind::kBlur, 1, 6},
                                                    {Kind::kMotionBlur, 4, 30},
                                                    {Kind::kJpeg, 40, 3},
                                                    {Kind::kNoise, 8, 80},
                                                    {Kind::kHideLeft, 0.2, 0.6},
                                                    {Kind::kHideRight, 0.2, 0.6},
                                                    {Kind::kHideLower, 0.2, 0.6},
                                                    {Kind::kDarkGlasses},
                                                    {Kind::kMask}}};

const KindFacts& FactsOf(Kind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [kind](const KindFacts& facts) { return facts.kind == kind; });
}

bool HasStrength(const KindFacts& facts) { return facts.strength.max > 0.0; }

Status CheckStrength(const Degradation& degradation) {
  const KindFacts& facts = FactsOf(degradation.kind);
  if (!HasStrength(facts)) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(CheckRange(facts.name, degradation.strength, facts.strength));
  if (degradation.kind == Kind::kTurn && std::fmod(degradation.strength, 90.0) != 0.0) {
    return InvalidArgument(
        fmt::format("turn is {:g} degrees, must be 90, 180 or 270", degradation.strength));
  }
  return OkStatus();
}

std::string KnownNames() {
  std::string names;
  for (const KindFacts& facts : kKinds) {
    if (!names.empty()) names += ", ";
    names += facts.name;
    if (HasStrength(facts)) names += "-NUMBER";
  }
  return names;
}

int QuarterTurns(const Degradation& degradation) {
  return degradation.kind == Kind::kTurn ? static_cast<int>(degradation.strength) / 90 : 0;
}

cv::Size ShrunkSize(cv::Size size, double longer_side) {
  const double factor = std::min(1.0, longer_side / std::max(size.width, size.height));
  return {std::max(1, static_cast<int>(std::lround(size.width * factor))),
          std::max(1, static_cast<int>(std::lround(size.height * factor)))};
}

cv::Mat Shrunk(const cv::Mat& photo, double longer_side) {
  cv::Mat small;
  cv::resize(photo, small, ShrunkSize(photo.size(), longer_side), 0, 0, cv::INTER_AREA);
  return small;
}

cv::Mat Enlarged(const cv::Mat& photo, cv::Size size, int interpolation) {
  cv::Mat large;
  cv::resize(photo, large, size, 0, 0, interpolation);
  return large;
}

// value · factor + offset, cut to 0..255.
cv::Mat Scaled(const cv::Mat& photo, double factor, double offset) {
  cv::Mat scaled;
  photo.convertTo(scaled, -1, factor, offset);
  return scaled;
}

double MeanLuminance(const cv::Mat& photo) {
  cv::Mat grey;
  cv::cvtColor(photo, grey, cv::COLOR_BGR2GRAY);
  return cv::mean(grey)[0];
}

cv::Mat Blurred(const cv::Mat& photo, double deviation) {
  cv::Mat blurred;
  cv::GaussianBlur(photo, blurred, {0, 0}, deviation, deviation, cv::BORDER_REPLICATE);
  return blurred;
}

cv::Mat MotionBlurred(const cv::Mat& photo, double length, RandomStream& random) {
  const double angle = random.Uniform(0.0, std::numbers::pi);
  const int reach = static_cast<int>(std::ceil(length / 2.0)) + 1;
  cv::Mat kernel = cv::Mat::zeros(2 * reach + 1, 2 * reach + 1, CV_32F);
  constexpr int kShift = 4;  // fixed point of cv::line
  const cv::Point2d half(std::cos(angle) * length / 2.0, std::sin(angle) * length / 2.0);
  const cv::Point2d centre(reach, reach);
  cv::Mat drawn = cv::Mat::zeros(kernel.size(), CV_8U);
  cv::line(drawn, (centre - half) * (1 << kShift), (centre + half) * (1 << kShift), 255, 1,
           cv::LINE_AA, kShift);
  drawn.convertTo(kernel, CV_32F, 1.0 / cv::sum(drawn)[0]);
  cv::Mat blurred;
  cv::filter2D(photo, blurred, -1, kernel, {-1, -1}, 0.0, cv::BORDER_REPLICATE);
  return blurred;
}

cv::Mat Noisy(const cv::Mat& photo, double deviation, RandomStream& random) {
  cv::Mat noisy = photo.clone();
  for (int y = 0; y < noisy.rows; ++y) {
    auto* const row = noisy.ptr<uchar>(y);
    for (int i = 0; i < noisy.cols * noisy.channels(); ++i) {
      row[i] = cv::saturate_cast<uchar>(row[i] + deviation * random.Normal());
    }
  }
  return noisy;
}

StatusOr<cv::Mat> Covered(const cv::Mat& photo, const Landmarks& landmarks,
                          const Degradation& degradation, RandomStream& random) {
  if (landmarks.size() != 5) {
    return InvalidArgument(fmt::format("{} needs the five landmarks of the face, there are {}",
                                       DegradationName(degradation), landmarks.size()));
  }
  cv::Mat covered = photo.clone();
  switch (degradation.kind) {
    case Kind::kDarkGlasses:
      DrawDarkGlasses(landmarks, random, covered);
      break;
    case Kind::kMask:
      DrawMask(landmarks, random, covered);
      break;
    case Kind::kHideLeft:
      HidePartOfFace(landmarks, FaceSide::kLeft, degradation.strength, random, covered);
      break;
    case Kind::kHideRight:
      HidePartOfFace(landmarks, FaceSide::kRight, degradation.strength, random, covered);
      break;
    case Kind::kHideUpper:
      HidePartOfFace(landmarks, FaceSide::kUpper, degradation.strength, random, covered);
      break;
    default:
      HidePartOfFace(landmarks, FaceSide::kLower, degradation.strength, random, covered);
  }
  return covered;
}

StatusOr<cv::Mat> Changed(const cv::Mat& photo, const Landmarks& landmarks,
                          const Degradation& degradation, RandomStream& random) {
  const double strength = degradation.strength;
  switch (degradation.kind) {
    case Kind::kClean:
      return photo.clone();
    case Kind::kTurn:
      return TurnedByQuarters(photo, QuarterTurns(degradation));
    case Kind::kShrink:
      return Shrunk(photo, strength);
    case Kind::kShrinkEnlarge:
      return Enlarged(Shrunk(photo, strength), photo.size(), cv::INTER_CUBIC);
    case Kind::kPixelate:
      return Enlarged(Shrunk(photo, strength), photo.size(), cv::INTER_NEAREST);
    case Kind::kShrinkJpeg:
      return ThroughJpeg(Shrunk(photo, strength), kPoorQuality);
    case Kind::kBrightness:
    case Kind::kOverExposure:
      return Scaled(photo, strength, 0.0);
    case Kind::kContrast:
      return Scaled(photo, strength, (1.0 - strength) * MeanLuminance(photo));
    case Kind::kBlur:
      return Blurred(photo, strength);
    case Kind::kMotionBlur:
      return MotionBlurred(photo, strength, random);
    case Kind::kJpeg:
      return ThroughJpeg(photo, static_cast<int>(std::lround(strength)));
    case Kind::kNoise:
      return Noisy(photo, strength, random);
    case Kind::kNegative:
      return Scaled(photo, -1.0, 255.0);
    case Kind::kHideLeft:
    case Kind::kHideRight:
    case Kind::kHideUpper:
    case Kind::kHideLower:
    case Kind::kDarkGlasses:
    case Kind::kMask:
      return Covered(photo, landmarks, degradation, random);
  }
  return InvalidArgument("no such kind of degradation");
}

}  // namespace

std::string DegradationName(const Degradation& degradation) {
  const KindFacts& facts = FactsOf(degradation.kind);
  return HasStrength(facts) ? fmt::format("{}-{:g}", facts.name, degradation.strength)
                            : std::string(facts.name);
}

StatusOr<Degradation> DegradationFromName(std::string_view name) {
  for (const KindFacts& facts : kKinds) {
    if (!HasStrength(facts)) {
      if (name == facts.name) return Degradation{.kind = facts.kind};
      continue;
    }
    if (!name.starts_with(facts.name) || name.size() < facts.name.size() + 2 ||
        name[facts.name.size()] != '-') {
      continue;
    }
    const std::string_view number = name.substr(facts.name.size() + 1);
    Degradation degradation{.kind = facts.kind};
    const auto [end, failure] =
        std::from_chars(number.data(), number.data() + number.size(), degradation.strength);
    // "shrink-enlarge-20" begins as "shrink" does.
    if (failure != std::errc() || end != number.data() + number.size()) continue;
    FACEGATE_RETURN_IF_ERROR(CheckStrength(degradation));
    return degradation;
  }
  return InvalidArgument(fmt::format("{} is no degradation; there are {}", name, KnownNames()));
}

std::span<const Degradation> DegradationCells() { return kCells; }

Degradation DrawDegradation(RandomStream& kind, RandomStream& strength) {
  const DrawnKind& drawn = kDrawnKinds.at(kind.Below(kDrawnKinds.size()));
  if (drawn.mild == drawn.hopeless) return {.kind = drawn.kind, .strength = drawn.mild};
  const double value = std::exp(strength.Uniform(std::log(drawn.mild), std::log(drawn.hopeless)));
  // A tenth is fine enough for pixels, grey levels and qualities.
  return {.kind = drawn.kind, .strength = value < 1.0 ? value : std::floor(value * 10) / 10};
}

StatusOr<cv::Mat> Degrade(const cv::Mat& photo, const Landmarks& landmarks,
                          const Degradation& degradation, RandomStream& random) {
  FACEGATE_RETURN_IF_ERROR(CheckStrength(degradation));
  if (photo.empty() || photo.type() != CV_8UC3) {
    return InvalidArgument("a photo to degrade must have pixels of three 8-bit values");
  }
  return CatchToStatus("degrading a photo",
                       [&] { return Changed(photo, landmarks, degradation, random); });
}

Landmarks LandmarksAfter(const Degradation& degradation, cv::Size size,
                         const Landmarks& landmarks) {
  Landmarks moved = landmarks;
  const int turns = QuarterTurns(degradation);
  const bool shrinks = degradation.kind == Kind::kShrink || degradation.kind == Kind::kShrinkJpeg;
  const cv::Size small = shrinks ? ShrunkSize(size, degradation.strength) : size;
  const float x_factor = static_cast<float>(small.width) / static_cast<float>(size.width);
  const float y_factor = static_cast<float>(small.height) / static_cast<float>(size.height);
  for (cv::Point2f& point : moved) {
    point = TurnedByQuarters(point, turns, size);
    // The centre of the first pixel is (0, 0).
    if (shrinks) point = {(point.x + 0.5F) * x_factor - 0.5F, (point.y + 0.5F) * y_factor - 0.5F};
  }
  return moved;
}

}  // namespace facegate
