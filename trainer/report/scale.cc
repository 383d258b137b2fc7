#include "trainer/report/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

namespace facegate::report {
namespace {

constexpr double kSmallestRate = 1e-9;
constexpr double kSlack = 1e-9;  // of a step, against rounding
// Numbers that differ by a smaller share of themselves are one number, rounded.
constexpr double kOneNumber = 1e-9;
constexpr int kDecadesWithParts = 2;
constexpr std::array<double, 3> kParts = {1.0, 2.0, 5.0};
constexpr std::array<double, 21> kRates = {1e-6, 1e-5, 1e-4, 2e-4, 5e-4, 1e-3,  2e-3,
                                           5e-3, 0.01, 0.02, 0.05, 0.1,  0.2,   0.4,
                                           0.6,  0.8,  0.9,  0.95, 0.99, 0.999, 0.9999};

Range Showable(ScaleKind kind, Range range) {
  if (kind == ScaleKind::kLog) {
    if (!(range.high > 0.0)) range = {.low = 0.1, .high = 1.0};
    if (!(range.low > 0.0)) range.low = range.high * 1e-3;
  } else if (kind == ScaleKind::kProbit) {
    range.low = std::clamp(range.low, kSmallestRate, 1.0 - kSmallestRate);
    range.high = std::clamp(range.high, kSmallestRate, 1.0 - kSmallestRate);
  }
  const double most = std::max(std::abs(range.low), std::abs(range.high));
  const double least_width = kind == ScaleKind::kProbit ? 0.0 : kOneNumber * most;
  if (!(range.high - range.low > least_width)) {
    const double width = std::max(std::abs(range.high) * 0.1, kSmallestRate / 10.0);
    range = {.low = range.low - (kind == ScaleKind::kLog ? range.low * 0.1 : width),
             .high = range.low + width};
  }
  return range;
}

// The 1, 2 or 5 times a power of ten that cuts `span` into about `wanted` parts.
double StepFor(double span, int wanted) {
  const double rough = span / std::max(1, wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double part : kParts) {
    if (part * power >= rough * (1.0 - kSlack)) return part * power;
  }
  return 10.0 * power;
}

std::string Superscript(int number) {
  static constexpr std::array<std::string_view, 10> kDigits = {"⁰", "¹", "²", "³", "⁴",
                                                               "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text;
  for (const char c : std::to_string(number)) {
    text += c == '-' ? "⁻" : kDigits[static_cast<size_t>(c - '0')];
  }
  return text;
}

std::string PowerText(double value) {
  const auto exponent = static_cast<int>(std::floor(std::log10(value) + kSlack));
  if (exponent == 0) return fmt::format("{:g}", value);
  const double factor = value / std::pow(10.0, exponent);
  const std::string power = "10" + Superscript(exponent);
  return std::abs(factor - 1.0) < 1e-6 ? power : fmt::format("{:.2g}·{}", factor, power);
}

int DecimalsFor(double step) {
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - kSlack)), 0, 12);
}

}  // namespace

double NormalQuantile(double p) {
  // Bisection of the distribution function erfc(-x/√2)/2, which rises everywhere.
  double low = -40.0;
  double high = 40.0;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2.0;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
  }
  return (low + high) / 2.0;
}

Scale::Scale(ScaleKind kind, Range range) : kind_(kind), range_(Showable(kind, range)) {}

double Scale::Warp(double value) const {
  switch (kind_) {
    case ScaleKind::kLinear:
      return value;
    case ScaleKind::kLog:
      return std::log10(std::max(value, std::numeric_limits<double>::min()));
    case ScaleKind::kProbit:
      return NormalQuantile(std::clamp(value, kSmallestRate, 1.0 - kSmallestRate));
  }
  return value;
}

double Scale::Place(double value) const {
  const double low = Warp(range_.low);
  return (Warp(value) - low) / (Warp(range_.high) - low);
}

std::vector<Tick> Scale::Ticks(int wanted, NumberStyle style) const {
  std::vector<Tick> ticks;
  const auto add = [&](double value, double step) {
    const double slack = kSlack * std::max(std::abs(range_.low), std::abs(range_.high));
    if (value < range_.low - slack || value > range_.high + slack) return;
    ticks.push_back({.value = value, .label = NumberText(value, step, style)});
  };
  if (kind_ == ScaleKind::kLinear) {
    const double step = StepFor(range_.high - range_.low, wanted);
    for (double i = std::ceil(range_.low / step - kSlack); i * step <= range_.high + kSlack * step;
         i += 1.0) {
      add(i * step, step);
    }
  } else if (kind_ == ScaleKind::kProbit) {
    for (const double rate : kRates) add(rate, std::min(rate, 1.0 - rate));
  } else {
    const auto first = static_cast<int>(std::floor(std::log10(range_.low) + kSlack));
    const auto last = static_cast<int>(std::ceil(std::log10(range_.high) - kSlack));
    const int stride = std::max(1, (last - first) / std::max(1, wanted));
    for (int exponent = first; exponent <= last; exponent += stride) {
      for (const double part : kParts) {
        if (part > 1.0 && last - first > kDecadesWithParts) break;
        const double value = part * std::pow(10.0, exponent);
        add(value, value);
      }
    }
  }
  return ticks;
}

Range RoundRange(ScaleKind kind, Range range) {
  range = Showable(kind, range);
  if (kind == ScaleKind::kProbit) return range;
  if (kind == ScaleKind::kLinear) {
    const double step = StepFor(range.high - range.low, 5);
    return {.low = std::floor(range.low / step + kSlack) * step,
            .high = std::ceil(range.high / step - kSlack) * step};
  }
  const double low = std::pow(10.0, std::floor(std::log10(range.low) + kSlack));
  const double high = std::pow(10.0, std::floor(std::log10(range.high) - kSlack));
  Range round{.low = low, .high = 10.0 * high};
  for (const double part : kParts) {
    if (part * low <= range.low * (1.0 + kSlack)) round.low = part * low;
  }
  for (auto part = kParts.rbegin(); part != kParts.rend(); ++part) {
    if (*part * high >= range.high * (1.0 - kSlack)) round.high = *part * high;
  }
  return round;
}

std::string NumberText(double value, double step, NumberStyle style) {
  if (std::abs(value) < step * kSlack) value = 0.0;  // also of -0
  if (value < 0.0) return "−" + NumberText(-value, step, style);
  if (style == NumberStyle::kPower && value > 0.0) return PowerText(value);
  if (style == NumberStyle::kPercent) {
    return fmt::format("{:.{}f} %", 100.0 * value, DecimalsFor(100.0 * step));
  }
  if (value == 0.0) return "0";
  if (step >= 1e6) return fmt::format("{:g} M", value / 1e6);
  if (step >= 1e3) return fmt::format("{:g} k", value / 1e3);
  if (step < 1e-4) return PowerText(value);
  return fmt::format("{:.{}f}", value, DecimalsFor(step));
}

}  // namespace facegate::report
