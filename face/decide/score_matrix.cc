#include "face/decide/score_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace facegate {
namespace {

constexpr double kLowestThreshold = -0.25;
constexpr double kLevelsPerUnit = 256.0;

}  // namespace

double ThresholdOfLevel(size_t level) {
  return kLowestThreshold + static_cast<double>(level) / kLevelsPerUnit;
}

uint16_t LevelOfScore(float score) {
  const double steps =
      std::floor((static_cast<double>(score) - kLowestThreshold) * kLevelsPerUnit) + 1.0;
  return static_cast<uint16_t>(std::clamp(steps, 0.0, static_cast<double>(kScoreLevels)));
}

double RoundedNumber(double value) {
  const std::string text = fmt::format("{:.4e}", value);
  double rounded = value;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return rounded;
}

}  // namespace facegate
