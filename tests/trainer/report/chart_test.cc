#include "trainer/report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "trainer/report/curve.h"
#include "trainer/report/scale.h"

namespace facegate::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> labels;
  for (const Tick& tick : ticks) labels.push_back(tick.label);
  return labels;
}

TEST(ScaleTest, TicksOfALinearAxisAreRound) {
  const Scale scale(ScaleKind::kLinear, {.low = -0.31, .high = 0.87});
  EXPECT_THAT(Labels(scale.Ticks(5, NumberStyle::kPlain)), ElementsAre("0", "0.5"));
  EXPECT_THAT(Labels(scale.Ticks(8, NumberStyle::kPlain)),
              ElementsAre("−0.2", "0", "0.2", "0.4", "0.6", "0.8"));
  EXPECT_THAT(
      Labels(Scale(ScaleKind::kLinear, {.low = 0, .high = 250'000}).Ticks(5, NumberStyle::kPlain)),
      ElementsAre("0", "50 k", "100 k", "150 k", "200 k", "250 k"));
  EXPECT_THAT(
      Labels(
          Scale(ScaleKind::kLinear, {.low = 0.975, .high = 0.99}).Ticks(3, NumberStyle::kPercent)),
      ElementsAre("97.5 %", "98.0 %", "98.5 %", "99.0 %"));
}

// The mean accuracies of two evaluations, equal but for the order of their additions, had ticks
// without end.
TEST(ScaleTest, NumbersThatDifferByRoundingAloneAreOne) {
  for (const double value : {0.6, -0.6, 1e-12, 1e12}) {
    const Range range =
        RoundRange(ScaleKind::kLinear, {.low = value, .high = std::nextafter(value, HUGE_VAL)});
    EXPECT_LT(range.low, value);
    EXPECT_GT(range.high, value);
    const auto ticks = Scale(ScaleKind::kLinear, range).Ticks(5, NumberStyle::kPlain);
    EXPECT_GE(ticks.size(), 2u);
    EXPECT_LE(ticks.size(), 20u);
  }
}

TEST(ScaleTest, TicksOfALogAxisArePowersOfTen) {
  const Scale scale(ScaleKind::kLog, {.low = 1.0 / 3000.0, .high = 1.0});
  EXPECT_THAT(Labels(scale.Ticks(5, NumberStyle::kPower)),
              ElementsAre("10⁻³", "10⁻²", "10⁻¹", "1"));
  EXPECT_DOUBLE_EQ(scale.Place(1.0), 1.0);
  EXPECT_NEAR(scale.Place(std::sqrt(1.0 / 3000.0)), 0.5, 1e-12);
}

TEST(ScaleTest, ProbitAxisIsSymmetricAndSpacedByDeviations) {
  const Scale scale(ScaleKind::kProbit, {.low = 0.01, .high = 0.99});
  EXPECT_NEAR(scale.Place(0.5), 0.5, 1e-12);
  // One deviation of 2 · 2.3263.
  EXPECT_NEAR(scale.Place(0.8413447460685429) - scale.Place(0.5), 1.0 / 4.6526957480816815, 1e-9);
}

TEST(ScaleTest, NormalQuantileInvertsTheDistributionFunction) {
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_NEAR(NormalQuantile(1e-6), -4.753424308822899, 1e-9);
  EXPECT_NEAR(NormalQuantile(0.5), 0.0, 1e-12);
}

TEST(ScaleTest, RangesWithoutWidthOrBeyondTheScaleStillHaveFinitePlaces) {
  for (const ScaleKind kind : {ScaleKind::kLinear, ScaleKind::kLog, ScaleKind::kProbit}) {
    for (const Range range :
         {Range{0.0, 0.0}, Range{1.0, 1.0}, Range{-3.0, -3.0}, Range{0.0, 1.0}, Range{5.0, 2.0}}) {
      const Scale scale(kind, range);
      EXPECT_TRUE(std::isfinite(scale.Place(0.3))) << range.low << " " << range.high;
      EXPECT_LT(scale.Ticks(5, NumberStyle::kPlain).size(), 40U);
      const Range round = RoundRange(kind, range);
      EXPECT_LT(round.low, round.high);
    }
  }
}

TEST(CurveTest, ThinnedCurveKeepsEndsAndSpikes) {
  Curve curve;
  for (int i = 0; i < 100'000; ++i) curve.push_back({.x = static_cast<double>(i), .y = 1.0});
  curve[31'234].y = 90.0;
  curve[77'777].y = -5.0;
  const Curve thin = Thinned(curve, 400);
  EXPECT_LE(thin.size(), 400U);
  EXPECT_EQ(thin.front().x, 0.0);
  EXPECT_EQ(thin.back().x, 99'999.0);
  const auto has = [&thin](double x, double y) {
    return std::any_of(thin.begin(), thin.end(),
                       [&](const CurvePoint& point) { return point.x == x && point.y == y; });
  };
  EXPECT_TRUE(has(31'234.0, 90.0));
  EXPECT_TRUE(has(77'777.0, -5.0));
  EXPECT_TRUE(std::is_sorted(thin.begin(), thin.end(),
                             [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; }));
}

TEST(CurveTest, SmoothedCurveKeepsAConstantAndTamesNoise) {
  Curve constant(200, {.y = 3.0});
  for (const CurvePoint& point : Smoothed(constant)) EXPECT_NEAR(point.y, 3.0, 1e-12);
  Curve noise;
  for (int i = 0; i < 4000; ++i) {
    noise.push_back({.x = static_cast<double>(i), .y = i % 2 == 0 ? 1.0 : -1.0});
  }
  EXPECT_NEAR(Smoothed(noise).back().y, 0.0, 0.02);
}

Chart SomeChart() {
  return {.title = "a < b & \"c\"",
          .caption = "<script>alert(1)</script>",
          .x = {.label = "<x>", .low = 0.0, .high = 10.0},
          .y = {.label = {}, .low = 0.0, .high = 4.0},
          .series = {{.name = "<b>'s", .points = {{0.0, 0.0}, {5.0, 2.0}, {10.0, 4.0}}}}};
}

TEST(ChartTest, PutsPointsWhereTheAxesSay) {
  const std::string figure = ChartFigure(SomeChart());
  std::smatch match;
  const std::regex points("points=\"([0-9.]+),([0-9.]+) ([0-9.]+),([0-9.]+) ([0-9.]+),([0-9.]+)\"");
  ASSERT_TRUE(std::regex_search(figure, match, points)) << figure;
  const auto number = [&match](size_t i) { return std::stod(match[i].str()); };
  EXPECT_NEAR(number(3), (number(1) + number(5)) / 2.0, 0.11);
  EXPECT_NEAR(number(4), (number(2) + number(6)) / 2.0, 0.11);
  EXPECT_LT(number(1), number(5));
  EXPECT_GT(number(2), number(6)) << "y grows upwards";
  EXPECT_THAT(figure, HasSubstr("data-x=\"0 5 10\" data-y=\"0 2 4\""));
}

TEST(ChartTest, EscapesAllTexts) {
  Chart chart = SomeChart();
  chart.rules = {{.x = 5.0, .label = "<i>"}};
  chart.series.push_back(chart.series[0]);
  chart.series[1].name = "\"><img>";
  const std::string figure = ChartFigure(chart);
  EXPECT_THAT(figure, HasSubstr("a &lt; b &amp; &quot;c&quot;"));
  for (const char* const raw : {"<script", "<b>'", "<x>", "<i>\"", "\"><img", "<i></text>"}) {
    EXPECT_THAT(figure, Not(HasSubstr(raw)));
  }
}

TEST(ChartTest, IsEmptyWithoutPoints) {
  Chart chart = SomeChart();
  chart.series[0].points.clear();
  EXPECT_EQ(ChartFigure(chart), "");
}

TEST(ChartTest, ShowsALonePointAsADotAndEqualValuesAsALine) {
  Chart chart = SomeChart();
  chart.x = {.label = "batch"};
  chart.y = {.label = "loss"};
  chart.series[0].points = {{.x = 7.0, .y = 7.0}};
  EXPECT_THAT(ChartFigure(chart), HasSubstr("<circle class=\"dot"));
  chart.series[0].points = {{1.0, 0.0}, {2.0, 0.0}};
  EXPECT_THAT(ChartFigure(chart), Not(HasSubstr("nan")));
  EXPECT_THAT(ChartFigure(chart), Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace facegate::report
