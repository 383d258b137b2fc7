#include "clients/cli/lettering.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/clients/canvas_picture.h"

namespace facegate::cli {
namespace {

const Pen kPen{.letter_height = 16, .thickness = 1, .colour = Grey(255)};
constexpr Point kLeft{4, 24};

cv::Mat Written(const std::string& text) {
  Canvas canvas(200, 32, {});
  WriteText(text, kLeft, kPen, canvas);
  cv::Mat grey;
  cv::extractChannel(PictureOf(canvas), grey, 0);
  return grey;
}

TEST(LetteringTest, DrawsEachLetterInItsOwnWay) {
  std::set<std::string> shapes;
  for (char letter = ' '; letter <= '~'; ++letter) {
    const cv::Mat shape = Written(std::string(1, letter));
    EXPECT_EQ(cv::countNonZero(shape) == 0, letter == ' ') << letter;
    shapes.insert({shape.datastart, shape.dataend});
  }
  EXPECT_EQ(shapes.size(), 95U);
}

TEST(LetteringTest, StandsOnItsLineAndIsAsHighAsItsPenSays) {
  const cv::Mat letter = Written("H");
  EXPECT_EQ(letter.at<uint8_t>(24, 4), 255);
  EXPECT_EQ(letter.at<uint8_t>(8, 4), 255);
  EXPECT_EQ(cv::countNonZero(letter.rowRange(0, 7)), 0);
  EXPECT_EQ(cv::countNonZero(letter.rowRange(26, 32)), 0);
}

TEST(LetteringTest, TakesTheWidthThatItTells) {
  for (const char* text : {"0.97", "person 17", "Wm.|", "   "}) {
    const cv::Mat written = Written(text);
    const auto width = static_cast<int>(WidthOf(text, kPen));
    EXPECT_EQ(cv::countNonZero(written.colRange(4 + width, 200)), 0) << text;
  }
  EXPECT_GT(WidthOf("ab", kPen), WidthOf("a", kPen));
  EXPECT_EQ(WidthOf("", kPen), 0);
}

TEST(LetteringTest, DrawsAQuestionMarkForWhatIsNotAscii) {
  EXPECT_EQ(cv::norm(Written("\xc3\xa9\x7f"), Written("???"), cv::NORM_INF), 0);
}

}  // namespace
}  // namespace facegate::cli
