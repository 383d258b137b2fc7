#include "trainer/drawing/contact_sheet.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <vector>

#include "trainer/drawing/text.h"

namespace facegate {
namespace {

const cv::Scalar kRed(0.0, 0.0, 255.0);

int Count(const cv::Mat& sheet, const cv::Scalar& colour) {
  cv::Mat mask;
  cv::inRange(sheet, colour, colour, mask);
  return cv::countNonZero(mask);
}

// Pixels of the darkest writing.
int Ink(const cv::Mat& sheet) {
  cv::Mat mask;
  cv::inRange(sheet, cv::Scalar(0, 0, 0), cv::Scalar(150, 150, 150), mask);
  return cv::countNonZero(mask);
}

TEST(ContactSheetTest, ShowsEveryPictureWholeAndInItsProportions) {
  const std::vector<SheetRow> rows = {
      {"", {{cv::Mat(50, 100, CV_8UC3, kRed), ""}, {cv::Mat(10, 20, CV_8UC3, kRed), ""}}},
      {"", {{cv::Mat(300, 600, CV_8UC3, kRed), ""}}}};
  const cv::Mat sheet = DrawContactSheet("", rows, {.cell = {100, 100}, .margin = 10, .gap = 4});
  EXPECT_EQ(sheet.size(), cv::Size(10 + 100 + 4 + 100 + 10, 10 + 100 + 4 + 100 + 10));
  EXPECT_EQ(Count(sheet, kRed), 3 * 100 * 50);
}

TEST(ContactSheetTest, TakesGreyAndMissingPictures) {
  const std::vector<SheetRow> rows = {
      {"grey", {{cv::Mat(20, 20, CV_8UC1, cv::Scalar(128)), "one"}, {cv::Mat(), "none"}}}};
  const cv::Mat sheet = DrawContactSheet("Title", rows, {.cell = {20, 20}});
  EXPECT_GE(Count(sheet, {128.0, 128.0, 128.0}), 20 * 20);
}

TEST(ContactSheetTest, WritesTitlesAndCaptions) {
  const cv::Mat picture(40, 40, CV_8UC3, cv::Scalar(255, 255, 255));
  const std::vector<SheetRow> plain = {{"", {{picture, ""}}}};
  const std::vector<SheetRow> written = {{"a row", {{picture, "a caption"}}}};
  EXPECT_EQ(Ink(DrawContactSheet("", plain)), 0);
  const int title = Ink(DrawContactSheet("Title", plain));
  EXPECT_GT(title, 50);
  EXPECT_GT(Ink(DrawContactSheet("Title", written)), title + 30);
}

TEST(ContactSheetTest, MarksPicturesByColourAndSign) {
  const cv::Mat picture(60, 60, CV_8UC3, cv::Scalar(255, 255, 255));
  const auto sheet = [&](SheetMark mark) {
    const std::vector<SheetRow> rows = {{"", {{picture, "", mark}}}};
    return DrawContactSheet("", rows, {.cell = {60, 60}});
  };
  const cv::Scalar green(63.0, 112.0, 20.0);
  const cv::Scalar red(30.0, 38.0, 179.0);
  const cv::Scalar grey = cv::Scalar::all(128.0);
  EXPECT_GT(Count(sheet(SheetMark::kRight), green), 4 * 60);
  EXPECT_GT(Count(sheet(SheetMark::kWrong), red), 4 * 60);
  EXPECT_GT(Count(sheet(SheetMark::kUnknown), grey), 4 * 60);
  // The signs differ in more than their colours.
  cv::Mat right;
  cv::Mat wrong;
  cv::inRange(sheet(SheetMark::kRight), green, green, right);
  cv::inRange(sheet(SheetMark::kWrong), red, red, wrong);
  EXPECT_GT(cv::countNonZero(right != wrong), 20);
}

TEST(ContactSheetTest, DrawsAPageWithoutRows) {
  EXPECT_FALSE(DrawContactSheet("Nothing", {}).empty());
  const std::vector<SheetRow> heading = {{"only a heading", {}}};
  EXPECT_GT(Ink(DrawContactSheet("", heading)), 50);
}

TEST(DrawingTextTest, ShortensAndBreaksToTheWidth) {
  const TextStyle style;
  EXPECT_EQ(ShortenText("short", 500, style), "short");
  const std::string shorter = ShortenText("a name that is far too long", 80, style);
  EXPECT_THAT(shorter, ::testing::EndsWith(".."));
  EXPECT_LE(TextWidth(shorter, style), 80);
  EXPECT_EQ(ShortenText("word", 1, style), "");
  const auto lines = BreakText("one two three four five six", 90, 2, style);
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) EXPECT_LE(TextWidth(line, style), 90);
  EXPECT_THAT(lines.back(), ::testing::EndsWith(".."));
}

TEST(DrawingTextTest, CutsOffWhatLiesOutside) {
  cv::Mat picture(20, 30, CV_8UC3, cv::Scalar(255, 255, 255));
  DrawTextLine(picture, "a long line of text", {-20, 15}, {});
  EXPECT_GT(Ink(picture), 10);
  DrawTextLine(picture, "far away", {200, 300}, {});
}

}  // namespace
}  // namespace facegate
