// What the report.html of a run shows.
#include <cmath>
#include <regex>
#include <sstream>
#include <vector>

#include "tests/trainer/run/fit_fixture.h"
#include "trainer/report/curve.h"
#include "trainer/report/run_log.h"

namespace facegate {
namespace {

std::vector<double> NumbersOf(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> numbers;
  for (double number = 0.0; in >> number;) numbers.push_back(number);
  return numbers;
}

// The curve of that name in the chart of that title.
report::Curve CurveOf(const std::string& page, const std::string& title, const std::string& name) {
  const size_t begin = page.find("<h3>" + title + "</h3>");
  if (begin == std::string::npos) return {};
  const std::string figure = page.substr(begin, page.find("</figure>", begin) - begin);
  const std::regex line("data-name=\"" + name + "\" data-x=\"([^\"]*)\" data-y=\"([^\"]*)\"");
  std::smatch found;
  if (!std::regex_search(figure, found, line)) return {};
  const std::vector<double> x = NumbersOf(found[1]);
  const std::vector<double> y = NumbersOf(found[2]);
  report::Curve curve;
  for (size_t i = 0; i < x.size() && i < y.size(); ++i) curve.push_back({.x = x[i], .y = y[i]});
  return curve;
}

void ExpectNear(const report::Curve& actual, const report::Curve& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].x, expected[i].x) << i;
    EXPECT_NEAR(actual[i].y, expected[i].y, 1e-3 * std::abs(expected[i].y)) << i;
  }
}

TEST_F(FitTest, ItsPageHoldsTheCurvesOfItsLog) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.evaluate.every = 1.0;
  recipe.schedule.epochs = 3.0;
  ASSERT_THAT(Run(recipe, "run"), IsOk());
  const std::string page = ReadFile(dir_.File("run/report.html"), 1 << 30).value();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto steps, report::ReadSteps(dir_.File("run")));
  report::Curve loss;
  report::Curve accuracy;
  for (const report::StepRow& row : steps) {
    loss.push_back({.x = static_cast<double>(row.batch), .y = row.loss});
    accuracy.push_back({.x = static_cast<double>(row.batch), .y = row.accuracy});
  }
  ASSERT_GE(steps.size(), 20u) << "fewer are not smoothed";
  ExpectNear(CurveOf(page, "Loss", "loss"), report::Smoothed(loss));
  ExpectNear(CurveOf(page, "Accuracy on the batch learned from", "accuracy"),
             report::Smoothed(accuracy));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto rows, report::ReadEvaluations(dir_.File("run")));
  report::Curve judged;
  for (const report::EvaluationRow& row : rows) {
    judged.push_back({.x = static_cast<double>(row.batch), .y = row.accuracy});
  }
  ASSERT_EQ(judged.size(), 4u) << "before the first batch and after each epoch";
  ExpectNear(CurveOf(page, "Verification accuracy", "held-out"), judged);
}

}  // namespace
}  // namespace facegate
