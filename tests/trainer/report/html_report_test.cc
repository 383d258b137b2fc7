#include "trainer/report/html_report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <regex>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ScoredSet SomeSet() {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0.0, 0.12);
  ScoredSet set{.name = "pairs", .genuine = {}, .impostor = {}, .threshold = 0.3, .accuracy = {}};
  for (int i = 0; i < 1000; ++i) {
    set.genuine.push_back(0.6 + noise(random));
    set.impostor.push_back(noise(random));
  }
  return set;
}

std::vector<StepRow> SomeSteps(int64_t count) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0.0, 1.0);
  std::vector<StepRow> steps;
  for (int64_t batch = 0; batch < count; ++batch) {
    steps.push_back({.batch = batch,
                     .loss = 20.0 + noise(random),
                     .accuracy = 0.5 + 0.1 * noise(random),
                     .learning_rate = 0.1,
                     .gradient_norm = std::exp(noise(random)),
                     .images_per_second = 100.0 + noise(random)});
  }
  return steps;
}

// Checks that each element is closed as often as it is opened, of those that must be closed.
void ExpectBalanced(const std::string& page) {
  std::map<std::string, int> open;
  const std::regex tag("<(/?)([a-z][a-z0-9]*)([^>]*)>");
  const std::string body =
      page.substr(page.find("<body>"), page.find("<script>") - page.find("<body>"));
  for (std::sregex_iterator i(body.begin(), body.end(), tag), end; i != end; ++i) {
    const std::string rest = (*i)[3];
    const std::string name = (*i)[2];
    if (rest.ends_with("/") || name == "img" || name == "br" || name == "wbr") continue;
    open[name] += (*i)[1].length() == 0 ? 1 : -1;
  }
  // The body is closed behind the script.
  for (const auto& [name, count] : open) {
    EXPECT_EQ(count, name == "body" ? 1 : 0) << name;
  }
}

TEST(HtmlReportTest, AnEmptyReportIsAPage) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage({}));
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_THAT(page, Not(HasSubstr("<section>")));
  ExpectBalanced(page);
}

TEST(HtmlReportTest, EveryTextIsEscaped) {
  const std::string evil = "</pre></style></title><script>alert('x')</script><b a=\"";
  ReportInput input{.title = evil, .summary = evil};
  input.steps = SomeSteps(30);
  input.evaluations = {{.batch = 1, .set = evil, .accuracy = 0.9},
                       {.batch = 2, .set = "other", .accuracy = 0.9}};
  for (int i = 0; i < 2; ++i) {
    ScoredSet set = SomeSet();
    set.name = evil;
    set.facts = {{evil, evil}};
    set.hardest = {{.first = cv::Mat(8, 8, CV_8UC3, cv::Scalar(1, 2, 3)),
                    .cosine = 0.1,
                    .genuine = i == 0,
                    .first_name = evil,
                    .second_name = evil}};
    input.sets.push_back(std::move(set));
  }
  input.configuration = evil;
  input.environment = {{evil, evil}};
  input.notes = {evil};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
  EXPECT_THAT(page, Not(HasSubstr("alert('x')")));
  EXPECT_THAT(page, Not(HasSubstr("<b a=")));
  size_t scripts = 0;
  for (size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    ++scripts;
  }
  EXPECT_EQ(scripts, 1U);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)"));
  ExpectBalanced(page);
}

// The bytes of a name that are no UTF-8, and an escape sequence of a terminal.
TEST(HtmlReportTest, ShowsBytesThatAreNoText) {
  ReportInput input;
  input.title = "caf\xe9";
  input.notes = {"a\x1b[2Jb, \xc3\xa9\n\xe2\x82"};
  input.environment = {{"\xff", "\x7f"}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
  for (const char* const shown : {"<h1>caf\\xe9</h1>", "<li>a\\x1b[2Jb, \xc3\xa9\n\\xe2\\x82</li>",
                                  "<dt>\\xff</dt><dd>\\x7f</dd>"}) {
    EXPECT_THAT(page, HasSubstr(shown));
  }
}

TEST(HtmlReportTest, NeedsNothingFromAnywhereElse) {
  ReportInput input;
  input.steps = SomeSteps(100);
  input.sets = {SomeSet()};
  FACEGATE_ASSERT_OK_AND_ASSIGN(std::string page, ReportPage(input));
  // The name of the SVG namespace is no address that is loaded.
  const std::string name = "http://www.w3.org/2000/svg";
  for (size_t at = page.find(name); at != std::string::npos; at = page.find(name)) {
    page.erase(at, name.size());
  }
  for (const char* const outside : {"http:", "https:", "url(", "@import", "<link", " src=\"/"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

TEST(HtmlReportTest, FiguresAreThoseOfTheScores) {
  ScoredSet set = SomeSet();
  set.accuracy = FoldAccuracy{
      .mean = 0.98466, .deviation = 0.00427, .folds = {1, 1}, .threshold = 0.3, .pairs = {}};
  std::vector<ScoredPair> pairs;
  for (const double score : set.genuine) pairs.push_back({.cosine = score, .same = true});
  for (const double score : set.impostor) pairs.push_back({.cosine = score, .same = false});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AcceptanceAtFar at, scores.AtFar(1e-2));
  ReportInput input;
  input.sets = {set};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
  EXPECT_THAT(page, HasSubstr("<b>98.47 %</b><small>± 0.43</small>"));
  EXPECT_THAT(
      page, HasSubstr(fmt::format("<b>{:.2f} %</b><small>{:.2f} to {:.2f}</small>",
                                  100.0 * at.tar.value, 100.0 * at.tar.low, 100.0 * at.tar.high)));
  EXPECT_THAT(page, HasSubstr(fmt::format("<b>{:.4f}</b>", scores.Auc())));
  EXPECT_THAT(page, HasSubstr(fmt::format("<b>{:.2f} %</b>", 100.0 * scores.EqualErrorRate())));
  // 1,000 impostor pairs say nothing of a rate of 1e-4.
  EXPECT_THAT(page, HasSubstr("<td>FAR 10⁻³</td>"));
  EXPECT_THAT(page, Not(HasSubstr("<td>FAR 10⁻⁴</td>")));
}

TEST(HtmlReportTest, AMillionStepsAndTheirSpikeFitInTwoMegabytes) {
  ReportInput input;
  input.steps = SomeSteps(1'000'000);
  input.steps[500'000].loss = kNotMeasured;
  input.sets = {SomeSet()};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
  EXPECT_LT(page.size(), 2U << 20);
  EXPECT_THAT(page, HasSubstr("1 of 1000000 batches"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  ExpectBalanced(page);
}

TEST(HtmlReportTest, PicturesAreInThePageAndSmall) {
  ScoredSet set = SomeSet();
  set.hardest = {{.first = cv::Mat(3000, 2000, CV_8UC3, cv::Scalar(20, 40, 200)),
                  .second = cv::Mat(),
                  .cosine = -0.25,
                  .genuine = true,
                  .first_name = "a/1.jpg",
                  .second_name = "a/2.jpg"}};
  ReportInput input;
  input.sets = {set};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
  EXPECT_LT(page.size(), 200U << 10);
  EXPECT_THAT(page, HasSubstr("src=\"data:image/jpeg;base64,/9j/"));
  EXPECT_THAT(page, HasSubstr("no picture"));
  EXPECT_THAT(page, HasSubstr("<b>−0.250 <i class=\"wrong\">✗ refused</i></b>"));
  EXPECT_THAT(page, HasSubstr("photos and names of people"));
}

TEST(HtmlReportTest, ScoresThatSayNothingAreRefusedByName) {
  ReportInput input;
  input.sets = {SomeSet()};
  input.sets[0].impostor.clear();
  EXPECT_THAT(ReportPage(input), StatusIs(StatusCode::kInvalidArgument));
  input.sets[0].impostor = {std::nan("")};
  const auto page = ReportPage(input);
  EXPECT_THAT(page, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(page.status())), HasSubstr("pairs"));
}

TEST(HtmlReportTest, SeparableAndEqualScoresHaveChartsToo) {
  for (const double genuine : {0.9, 0.1}) {
    ReportInput input;
    input.sets = {{.name = "few", .genuine = {genuine}, .impostor = {0.1}, .threshold = 0.5}};
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage(input));
    EXPECT_THAT(page, Not(HasSubstr("nan,")));
    EXPECT_THAT(page, HasSubstr("<h3>Scores</h3>"));
    ExpectBalanced(page);
  }
}

TEST(HtmlReportTest, HardestPairsAreNamedBelowTheirCommonFolderAndMarked) {
  ScoredSet set = SomeSet();
  set.hardest = {{.cosine = 0.5,
                  .genuine = true,
                  .first_name = "/home/me/photos/ann/1.jpg",
                  .second_name = "/home/me/photos/ann/2.jpg"},
                 {.cosine = 0.4,
                  .genuine = false,
                  .first_name = "/home/me/photos/ann/1.jpg",
                  .second_name = "/home/me/photos/anton/1.jpg"}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage({.sets = {set}}));
  EXPECT_THAT(page, Not(HasSubstr("/home/me")));
  EXPECT_THAT(page, HasSubstr("anton/<wbr>1.jpg"));
  EXPECT_THAT(page, HasSubstr("<i class=\"right\">✓ accepted</i>"));
  EXPECT_THAT(page, HasSubstr("<i class=\"wrong\">✗ accepted</i>"));
}

// All places of the polyline of the DET chart, as shares of the plot's width and height.
std::vector<std::pair<double, double>> DetPlaces(const std::string& page) {
  const size_t chart = page.find("<h3>DET");
  const size_t line = page.find("<polyline class=\"line", chart);
  const size_t begin = page.find("points=\"", line) + 8;
  std::istringstream points(page.substr(begin, page.find('"', begin) - begin));
  std::vector<std::pair<double, double>> places;
  double x = 0.0;
  double y = 0.0;
  char comma = ',';
  while (points >> x >> comma >> y) {
    places.emplace_back((x - 58.0) / (500.0 - 58.0 - 14.0), (y - 12.0) / (290.0 - 12.0 - 42.0));
  }
  return places;
}

// The curve lies within the axes and fills them, for nearly perfect and for nearly random scores.
TEST(HtmlReportTest, TheDetChartFollowsTheScores) {
  for (const double apart : {0.45, 0.3, 0.1, 0.02}) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> noise(0.0, 0.12);
    ScoredSet set{.name = "pairs", .genuine = {}, .impostor = {}, .threshold = 0.3};
    for (int i = 0; i < 3000; ++i) {
      set.genuine.push_back(apart + noise(random));
      set.impostor.push_back(noise(random));
    }
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage({.sets = {set}}));
    double left = 1.0;
    double right = 0.0;
    for (const auto& [x, y] : DetPlaces(page)) {
      EXPECT_TRUE(x >= -0.01 && x <= 1.01 && y >= -0.01 && y <= 1.01)
          << apart << ": " << x << " " << y;
      left = std::min(left, x);
      right = std::max(right, x);
    }
    EXPECT_LT(left, 0.45) << apart;
    EXPECT_GT(right, 0.55) << apart;
    EXPECT_GT(right - left, 0.2) << apart;
  }
}

TEST(HtmlReportTest, TheFileIsThePage) {
  const TempDir dir;
  ASSERT_THAT(WriteReport(dir.File("report.html"), {.title = "run 1"}), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string file, ReadFile(dir.File("report.html"), 1 << 20));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string page, ReportPage({.title = "run 1"}));
  EXPECT_EQ(file, page);
}

}  // namespace
}  // namespace facegate::report
