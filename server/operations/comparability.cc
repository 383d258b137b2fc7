#include "server/operations/comparability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace facegate {
namespace {

std::string FormatMeasure(double value) {
  constexpr double kWithoutFraction = 100.0;
  return std::abs(value) >= kWithoutFraction ? fmt::format("{:.0f}", value)
                                             : fmt::format("{:.3g}", value);
}

// True when the unit is said; a share or the like has the number alone.
bool IsSaid(std::string_view unit) {
  return unit == "px" || unit == "degrees" || unit == "bits" || unit == "eye distances";
}

}  // namespace

bool IsFit(const std::optional<FaceQuality>& quality, double wanted) {
  // Written so that a score that is not a number is not enough.
  return wanted <= 0.0 || !quality.has_value() || quality->score >= wanted;
}

FaceReport ReportOf(const std::optional<DetectedFace>& detected,
                    const std::optional<FaceQuality>& quality, double wanted) {
  FaceReport report{.detected = detected, .quality = quality, .wanted = wanted};
  if (!IsFit(quality, wanted)) report.shortcomings = ShortcomingsOf(*quality, wanted);
  return report;
}

void WithholdUnfit(double wanted, PreparedFace& face) {
  if (!IsFit(face.quality, wanted)) face.content = std::monostate();
}

Status CheckFitToEnrol(double wanted, const PreparedFace& face) {
  if (IsFit(face.quality, wanted)) return OkStatus();
  const std::vector<Shortcoming> shortcomings = ShortcomingsOf(*face.quality, wanted);
  std::string reasons;
  for (const Shortcoming& one : shortcomings) {
    reasons.append(reasons.empty() ? "" : "; ").append(DescribeShortcoming(one));
  }
  Status refused =
      Refuse(Reason::kLowQuality, fmt::format("the face is not good enough to enrol: {}", reasons));
  for (const Shortcoming& one : shortcomings) {
    refused =
        WithMetadata(refused, QualityName(one.component),
                     fmt::format("{}/{}", FormatMeasure(one.value), FormatMeasure(one.wanted)));
  }
  return refused;
}

std::string DescribeShortcoming(const Shortcoming& shortcoming) {
  std::string name(QualityName(shortcoming.component));
  std::replace(name.begin(), name.end(), '_', ' ');
  const std::string_view unit = QualityUnit(shortcoming.component);
  return fmt::format("{} is {}{}{}, {} wanted ({})", name, FormatMeasure(shortcoming.value),
                     IsSaid(unit) ? " " : "", IsSaid(unit) ? unit : "",
                     FormatMeasure(shortcoming.wanted), QualityAdvice(shortcoming.component));
}

}  // namespace facegate
