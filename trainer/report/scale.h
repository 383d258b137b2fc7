#pragma once

#include <string>
#include <vector>

namespace facegate::report {

enum class ScaleKind {
  kLinear,
  kLog,     // values above 0
  kProbit,  // rates between 0 and 1, spaced as the quantiles of the normal distribution
};

enum class NumberStyle {
  kPlain,
  kPercent,  // 0.05 is "5 %"
  kPower,    // 0.01 is "10⁻²"
};

// An axis goes from one of these values to the other; low < high.
struct Range {
  double low = 0.0;
  double high = 1.0;
};

struct Tick {
  double value = 0.0;
  std::string label;
};

// Knows where values lie on an axis.
class Scale {
 public:
  // A range that the kind cannot show (log of 0, probit of 1) is cut to what it can.
  Scale(ScaleKind kind, Range range);

  // 0 at the low end, 1 at the high end; beyond that for values outside the range.
  double Place(double value) const;
  // Round values within the range, about `wanted` where the scale leaves a choice.
  std::vector<Tick> Ticks(int wanted, NumberStyle style) const;

 private:
  double Warp(double value) const;

  const ScaleKind kind_;
  const Range range_;
};

// The smallest range of round numbers (for log: powers of ten, or 1, 2, 5 times them) that holds
// the given one.
Range RoundRange(ScaleKind kind, Range range);

// The value that a standard normal variable stays below with probability `p`; finite for all p.
double NormalQuantile(double p);

// "12.5 %", "10⁻³", "20 k"; with as many decimals as numbers `step` apart need.
std::string NumberText(double value, double step, NumberStyle style);

}  // namespace facegate::report
