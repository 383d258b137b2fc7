#include "trainer/quality/quality_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/image/align.h"
#include "trainer/photos/degradation.h"
#include "trainer/quality/view_geometry.h"

namespace facegate {
namespace {

using Kind = DegradationKind;

struct FlawFacts {
  ViewFlaw flaw;
  std::string_view name;
  int weight;  // how often it comes, against the others
};
constexpr std::array<FlawFacts, kViewFlaws> kFlaws = {{{ViewFlaw::kNone, "none", 10},
                                                       {ViewFlaw::kTurned, "turned", 6},
                                                       {ViewFlaw::kMisaligned, "misaligned", 10},
                                                       {ViewFlaw::kNoFace, "no face", 6},
                                                       {ViewFlaw::kSmall, "small", 14},
                                                       {ViewFlaw::kDark, "dark", 10},
                                                       {ViewFlaw::kBright, "bright", 6},
                                                       {ViewFlaw::kFlat, "flat", 6},
                                                       {ViewFlaw::kFog, "fog", 4},
                                                       {ViewFlaw::kBlurred, "blurred", 8},
                                                       {ViewFlaw::kMoved, "moved", 5},
                                                       {ViewFlaw::kPacked, "packed", 6},
                                                       {ViewFlaw::kNoisy, "noisy", 6},
                                                       {ViewFlaw::kNegative, "negative", 4},
                                                       {ViewFlaw::kHidden, "hidden", 18},
                                                       {ViewFlaw::kDarkGlasses, "dark glasses", 9},
                                                       {ViewFlaw::kMask, "mask", 9},
                                                       {ViewFlaw::kBorder, "border", 5},
                                                       {ViewFlaw::kScribbled, "scribbled", 4}}};

// Shares of the face from which on what covers it surely hides, or surely leaves, eyes and mouth.
constexpr double kSurelyHides = 0.42;
constexpr double kSurelyLeaves = 0.2;
constexpr double kSecondFlaw = 0.35;

ViewFlaw DrawFlaw(RandomStream& random) {
  int total = 0;
  for (const FlawFacts& facts : kFlaws) total += facts.weight;
  int left = static_cast<int>(random.Below(static_cast<uint64_t>(total)));
  for (const FlawFacts& facts : kFlaws) {
    left -= facts.weight;
    if (left < 0) return facts.flaw;
  }
  return ViewFlaw::kNone;
}

double LogUniform(RandomStream& random, double low, double high) {
  return std::exp(random.Uniform(std::log(low), std::log(high)));
}

Landmarks CropPoints() {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  return {points.begin(), points.end()};
}

Status Apply(Kind kind, double strength, RandomStream& random, cv::Mat& crop) {
  FACEGATE_ASSIGN_OR_RETURN(
      crop, Degrade(crop, CropPoints(), {.kind = kind, .strength = strength}, random));
  return OkStatus();
}

void MarkVisible(QualityView& view) {
  view.eyes_visible = true;
  view.mouth_visible = true;
}

// A cover of `share` of the face from one side.
Status Hide(RandomStream& random, QualityView& view) {
  static constexpr std::array kSides = {Kind::kHideLeft, Kind::kHideRight, Kind::kHideUpper,
                                        Kind::kHideLower};
  const Kind side = kSides.at(random.Below(kSides.size()));
  const double share = random.Uniform(0.1, 0.75);
  FACEGATE_RETURN_IF_ERROR(Apply(side, share, random, view.crop));
  MarkVisible(view);
  if (share <= kSurelyLeaves) return OkStatus();
  const std::optional<bool> hidden =
      share >= kSurelyHides ? std::optional<bool>(false) : std::nullopt;
  if (side != Kind::kHideLower) view.eyes_visible = hidden;
  if (side != Kind::kHideUpper) view.mouth_visible = hidden;
  // A cover from far enough below or above hides the other part too, or does not.
  if (side == Kind::kHideLower && share > kSurelyHides) view.eyes_visible = std::nullopt;
  if (side == Kind::kHideUpper && share > kSurelyHides) view.mouth_visible = std::nullopt;
  return OkStatus();
}

cv::Mat Small(double eyes, const cv::Mat& crop) {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const double scale = eyes / cv::norm(points[1] - points[0]);
  const int side = std::max(2, static_cast<int>(std::lround(crop.cols * scale)));
  cv::Mat small;
  cv::resize(crop, small, {side, side}, 0, 0, cv::INTER_AREA);
  return small;
}

Status Shrink(double eyes, RandomStream& random, cv::Mat& crop) {
  const cv::Mat small = Small(eyes, crop);
  const double way = random.Uniform();
  const int interpolation =
      way < 0.55 ? cv::INTER_LINEAR : (way < 0.9 ? cv::INTER_CUBIC : cv::INTER_NEAREST);
  cv::resize(small, crop, crop.size(), 0, 0, interpolation);
  return OkStatus();
}

// JPEG, of the photo as it is or of a small one.
Status Pack(RandomStream& random, cv::Mat& crop) {
  const cv::Size size = crop.size();
  if (random.Chance(0.5)) crop = Small(LogUniform(random, 10, 35), crop);
  FACEGATE_RETURN_IF_ERROR(Apply(Kind::kJpeg, std::floor(random.Uniform(2, 40)), random, crop));
  if (crop.size() != size) cv::resize(crop, crop, size, 0, 0, cv::INTER_LINEAR);
  return OkStatus();
}

void Fog(RandomStream& random, cv::Mat& crop) {
  const double grey = random.Uniform(60, 255);
  const double density = random.Uniform(0.3, 0.97);
  crop.convertTo(crop, -1, 1 - density, density * grey);
}

void Scribble(RandomStream& random, cv::Mat& crop) {
  const auto place = [&](int side) {
    return static_cast<int>(random.Below(static_cast<uint64_t>(side)));
  };
  for (int lines = 4 + place(30); lines > 0; --lines) {
    const cv::Scalar colour(place(256), place(256), place(256));
    cv::line(crop, {place(crop.cols), place(crop.rows)}, {place(crop.cols), place(crop.rows)},
             colour, 1 + place(6), cv::LINE_AA);
  }
}

Status SecondFlaw(RandomStream& random, cv::Mat& crop) {
  switch (random.Below(6)) {
    case 0:
      return Apply(Kind::kBrightness, random.Uniform(0.3, 0.8), random, crop);
    case 1:
      return Apply(Kind::kOverExposure, random.Uniform(1.1, 1.8), random, crop);
    case 2:
      return Apply(Kind::kBlur, random.Uniform(0.5, 1.8), random, crop);
    case 3:
      return Apply(Kind::kNoise, random.Uniform(3, 20), random, crop);
    case 4:
      return Apply(Kind::kJpeg, std::floor(random.Uniform(15, 70)), random, crop);
    default:
      return Shrink(random.Uniform(10, 30), random, crop);
  }
}

// Does what light, lenses and sensors do.
StatusOr<bool> ApplyCameraFlaw(RandomStream& random, QualityView& view) {
  cv::Mat& crop = view.crop;
  switch (view.flaw) {
    case ViewFlaw::kDark:
      FACEGATE_RETURN_IF_ERROR(
          Apply(Kind::kBrightness, LogUniform(random, 0.02, 0.8), random, crop));
      return true;
    case ViewFlaw::kBright:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kOverExposure, random.Uniform(1.3, 10), random, crop));
      return true;
    case ViewFlaw::kFlat:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kContrast, LogUniform(random, 0.02, 0.7), random, crop));
      return true;
    case ViewFlaw::kFog:
      Fog(random, crop);
      return true;
    case ViewFlaw::kBlurred:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kBlur, LogUniform(random, 0.7, 10), random, crop));
      return true;
    case ViewFlaw::kMoved:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kMotionBlur, random.Uniform(4, 40), random, crop));
      return true;
    case ViewFlaw::kPacked:
      FACEGATE_RETURN_IF_ERROR(Pack(random, crop));
      return true;
    case ViewFlaw::kNoisy:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kNoise, LogUniform(random, 5, 120), random, crop));
      return true;
    case ViewFlaw::kNegative:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kNegative, 0, random, crop));
      return true;
    default:
      return false;
  }
}

// Everything else but what the alignment does.
Status ApplyCover(RandomStream& random, QualityView& view) {
  switch (view.flaw) {
    case ViewFlaw::kHidden:
      return Hide(random, view);
    case ViewFlaw::kDarkGlasses:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kDarkGlasses, 0, random, view.crop));
      view.eyes_visible = false;
      view.mouth_visible = true;
      return OkStatus();
    case ViewFlaw::kMask:
      FACEGATE_RETURN_IF_ERROR(Apply(Kind::kMask, 0, random, view.crop));
      view.eyes_visible = true;
      view.mouth_visible = false;
      return OkStatus();
    case ViewFlaw::kBorder:
      CutByBorder(random, view.crop);
      return OkStatus();
    case ViewFlaw::kScribbled:
      Scribble(random, view.crop);
      return OkStatus();
    case ViewFlaw::kNoFace:
      LoseFace(random, view.crop);
      return OkStatus();
    default:
      MarkVisible(view);
      return OkStatus();
  }
}

}  // namespace

std::string_view ViewFlawName(ViewFlaw flaw) {
  const auto place = static_cast<size_t>(flaw);
  return place < kFlaws.size() ? kFlaws.at(place).name : "unknown";
}

StatusOr<QualityView> DrawQualityView(const cv::Mat& clean, RandomStream& random) {
  QualityView view{.crop = clean.clone(), .flaw = DrawFlaw(random)};
  FACEGATE_RETURN_IF_ERROR(ApplyCover(random, view));
  double unsure = 0.02;  // how far landmarks are off, in distances of the eyes
  FACEGATE_ASSIGN_OR_RETURN(const bool camera, ApplyCameraFlaw(random, view));
  if (!camera && view.flaw == ViewFlaw::kSmall) {
    const double eyes = LogUniform(random, 2.5, 30);
    FACEGATE_RETURN_IF_ERROR(Shrink(eyes, random, view.crop));
    unsure += 0.4 / eyes;
  }
  if (random.Chance(kSecondFlaw)) FACEGATE_RETURN_IF_ERROR(SecondFlaw(random, view.crop));
  if (view.flaw == ViewFlaw::kTurned) TurnByQuarters(random, view.crop);
  if (view.flaw == ViewFlaw::kMisaligned) {
    Misalign(random, view.crop);
    view.eyes_visible = std::nullopt;
    view.mouth_visible = std::nullopt;
  } else {
    Jitter(unsure, random, view.crop);
  }
  return view;
}

}  // namespace facegate
