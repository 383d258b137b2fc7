#include "trainer/report/parallel_axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace facegate::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ParallelPicture SomePicture() {
  return {.title = "settings",
          .caption = "lines",
          .axes = {{.name = "head.margin", .ticks = {{.place = 0.0, .label = "0.3"}}},
                   {.name = "accuracy", .ticks = {{.place = 1.0, .label = "90 %"}}}},
          .lines = {{.places = {0.5, 1.0}, .text = "trial-0001", .is_best = true}}};
}

double WidthOf(const std::string& figure) {
  std::smatch match;
  EXPECT_TRUE(std::regex_search(figure, match, std::regex("viewBox=\"0 0 (\\d+) ")));
  return std::stod(match[1]);
}

// Where the texts of a class stand.
std::vector<double> PlacesOf(const std::string& figure, const std::string& attribute) {
  std::vector<double> places;
  const std::regex pattern("<text class=\"word\" x=\"([\\d.]+)\" y=\"([\\d.]+)\"");
  for (std::sregex_iterator it(figure.begin(), figure.end(), pattern), end; it != end; ++it) {
    places.push_back(std::stod((*it)[attribute == "x" ? 1 : 2]));
  }
  return places;
}

TEST(ParallelAxesTest, DrawsALineFromAxisToAxis) {
  const std::string figure = ParallelFigure(SomePicture());
  EXPECT_THAT(figure, AllOf(HasSubstr("<polyline class=\"line c1\""), HasSubstr("head.margin"),
                            HasSubstr("<title>trial-0001</title>"), HasSubstr("90 %")));
}

TEST(ParallelAxesTest, ALineWithoutItsEndIsDashed) {
  ParallelPicture picture = SomePicture();
  picture.lines = {{.places = {0.5}, .text = "failed"}};
  EXPECT_THAT(ParallelFigure(picture), HasSubstr("<polyline class=\"line dashed c5\""));
}

TEST(ParallelAxesTest, TextsAreEscaped) {
  ParallelPicture picture = SomePicture();
  picture.title = picture.caption = picture.lines[0].text = "<b>";
  picture.axes[0].name = picture.axes[0].ticks[0].label = "<b>";
  EXPECT_THAT(ParallelFigure(picture), AllOf(HasSubstr("&lt;b&gt;"), Not(HasSubstr("<b>"))));
}

TEST(ParallelAxesTest, LongLabelsAreCutBetweenLetters) {
  ParallelPicture picture = SomePicture();
  std::string label;
  for (int i = 0; i < 30; ++i) label += "ü";
  picture.axes[0].ticks[0].label = label;
  const std::string figure = ParallelFigure(picture);
  EXPECT_THAT(figure, HasSubstr("üüüüüüüüüü…üüüüüüüüüü<"));
}

TEST(ParallelAxesTest, ManyLongNamesMakeItWiderInsteadOfMeeting) {
  ParallelPicture picture = SomePicture();
  picture.axes.clear();
  for (int i = 0; i < 14; ++i) {
    picture.axes.push_back({.name = "augment.low_resolution_factor", .ticks = {}});
  }
  picture.lines[0].places.assign(14, 0.5);
  const std::string figure = ParallelFigure(picture);
  const auto x = PlacesOf(figure, "x");
  const auto y = PlacesOf(figure, "y");
  ASSERT_EQ(x.size(), 14u);
  constexpr double kNameWidth = 29 * 7.0;
  for (size_t i = 2; i < x.size(); ++i) {
    EXPECT_EQ(y[i], y[i - 2]);
    EXPECT_GT(x[i] - x[i - 2], kNameWidth) << "two names of one row";
  }
  EXPECT_GE(x.front() - kNameWidth / 2.0, 0.0);
  EXPECT_LE(x.back() + kNameWidth / 2.0, WidthOf(figure));
}

TEST(ParallelAxesTest, NothingIsDrawnWithoutALine) {
  ParallelPicture picture = SomePicture();
  picture.lines.clear();
  EXPECT_THAT(ParallelFigure(picture), IsEmpty());
}

}  // namespace
}  // namespace facegate::report
