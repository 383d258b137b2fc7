#include "clients/cli/quality_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace facegate::cli {
namespace {

// Says what the value of a component is, as a person would say it. `{}` stands for the value.
struct Phrase {
  std::string_view name;
  std::string_view text;
  bool percent = false;
};
constexpr Phrase kPhrases[] = {
    {"inter_eye_distance", "{} px between the eyes"},
    {"sharpness", "as sharp as {} px between the eyes"},
    {"under_exposure", "{} of the face nearly black", true},
    {"over_exposure", "{} of the face nearly white", true},
    {"head_roll", "head tilted by {} degrees"},
    {"head_yaw", "head turned by {} degrees"},
    {"head_pitch", "head raised or lowered by {} degrees"},
    {"face_in_picture", "{} of the face in the picture", true},
};

std::string FormatMeasure(double value, bool percent) {
  constexpr double kWithoutFraction = 10.0;
  if (percent) return fmt::format("{:.0f} %", 100 * value);
  return std::abs(value) >= kWithoutFraction ? fmt::format("{:.0f}", value)
                                             : fmt::format("{:.2g}", value);
}

std::string WithSpaces(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::string DescribeShortcoming(const v1::QualityShortcoming& shortcoming) {
  const auto* const known =
      std::find_if(std::begin(kPhrases), std::end(kPhrases),
                   [&](const Phrase& phrase) { return phrase.name == shortcoming.name(); });
  const bool percent = known != std::end(kPhrases) && known->percent;
  // An angle counts by its size.
  const std::string value = FormatMeasure(std::abs(shortcoming.value()), percent);
  const std::string wanted = FormatMeasure(std::abs(shortcoming.wanted()), percent);
  std::string text = shortcoming.advice().empty() ? "" : shortcoming.advice() + ": ";
  if (known != std::end(kPhrases)) {
    text += fmt::format(fmt::runtime(known->text), value);
  } else {
    text += fmt::format("{} {}", WithSpaces(shortcoming.name()), value);
  }
  const bool less = std::abs(shortcoming.value()) > std::abs(shortcoming.wanted());
  return text + fmt::format(", {}{} wanted", less ? "at most " : "", wanted);
}

std::vector<std::string> ShortcomingLines(std::string_view subject, const v1::Face& face) {
  std::vector<std::string> lines;
  for (const v1::QualityShortcoming& one : face.quality().shortcomings()) {
    lines.push_back(fmt::format("{}: {}", subject, DescribeShortcoming(one)));
  }
  if (lines.empty()) lines.push_back(fmt::format("{}: the face cannot be aligned", subject));
  return lines;
}

std::string DescribeWorstComponent(const v1::Face& face) {
  const auto& components = face.quality().components();
  const auto worst =
      std::min_element(components.begin(), components.end(),
                       [](const v1::QualityComponent& a, const v1::QualityComponent& b) {
                         return a.quality() < b.quality();
                       });
  if (worst == components.end()) return "-";
  return fmt::format("{} {}", WithSpaces(worst->name()), FormatQuality(worst->quality()));
}

std::string FormatQuality(float quality) { return fmt::format("{:.2f}", quality); }

}  // namespace facegate::cli
