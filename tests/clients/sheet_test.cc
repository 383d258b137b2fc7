#include "clients/cli/sheet.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "tests/clients/canvas_picture.h"
#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

constexpr int kTileLeft = 14;
constexpr int kMarkTop = 34 + 168 + 2 * 20 - 5 - kMarkSide + 2;

v1::IdentifyResponse AnswerOf(const std::string& match) {
  v1::IdentifyResponse answer;
  auto* result = answer.add_results();
  result->set_decision(match.empty() ? v1::DECISION_NO_MATCH : v1::DECISION_MATCH);
  if (!match.empty()) result->add_candidates()->set_identity_id(match);
  return answer;
}

cv::Mat PageOf(const IdentificationSheet& sheet) {
  const TempDir dir;
  EXPECT_TRUE(sheet.Write(dir.File("page.png")).ok());
  return cv::imread(dir.File("page.png"));
}

// The mark below the only photo of a page, by the colour of its corner and what is drawn on it.
cv::Mat MarkBelow(const std::string& match, const std::optional<PhotoTruth>& truth) {
  IdentificationSheet sheet;
  sheet.Add("photo.jpg", "", AnswerOf(match), truth);
  return PageOf(sheet)(cv::Rect(kTileLeft, kMarkTop, kMarkSide, kMarkSide)).clone();
}

cv::Mat MarkItself(VerdictMark mark) {
  Canvas canvas(kMarkSide, kMarkSide, {});
  DrawMark(mark, 0, 0, canvas);
  return PictureOf(canvas);
}

bool Same(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF) == 0; }

TEST(SheetTest, MarksSomebodyAndNobodyWhereTheTruthIsUnknown) {
  EXPECT_TRUE(Same(MarkBelow("1017", {}), MarkItself(VerdictMark::kRight)));
  EXPECT_TRUE(Same(MarkBelow("", {}), MarkItself(VerdictMark::kNobody)));
}

TEST(SheetTest, MarksRightAndWrongWhereTheTruthIsKnown) {
  const PhotoTruth enrolled{.identity = "1017", .enrolled = true};
  const PhotoTruth stranger{.identity = "2042", .enrolled = false};
  EXPECT_TRUE(Same(MarkBelow("1017", enrolled), MarkItself(VerdictMark::kRight)));
  EXPECT_TRUE(Same(MarkBelow("1018", enrolled), MarkItself(VerdictMark::kWrong)));
  EXPECT_TRUE(Same(MarkBelow("", enrolled), MarkItself(VerdictMark::kWrong)));
  EXPECT_TRUE(Same(MarkBelow("", stranger), MarkItself(VerdictMark::kRightNobody)));
  EXPECT_TRUE(Same(MarkBelow("1017", stranger), MarkItself(VerdictMark::kWrong)));
}

TEST(SheetTest, TellsItsMarksApartWithoutColour) {
  const VerdictMark marks[] = {VerdictMark::kRight, VerdictMark::kWrong, VerdictMark::kNobody};
  std::vector<cv::Mat> shapes;
  for (const VerdictMark mark : marks) {
    // White is what is drawn; the colour of the square is left out.
    cv::Mat shape;
    cv::inRange(MarkItself(mark), cv::Scalar::all(230), cv::Scalar::all(255), shape);
    shapes.push_back(shape);
  }
  EXPECT_FALSE(Same(shapes[0], shapes[1]));
  EXPECT_FALSE(Same(shapes[0], shapes[2]));
  EXPECT_FALSE(Same(shapes[1], shapes[2]));
}

TEST(SheetTest, CountsWhatWasNotAnswered) {
  IdentificationSheet sheet("door");
  sheet.Add("1017.jpg", "", AnswerOf("1017"), PhotoTruth{.identity = "1017", .enrolled = true});
  EXPECT_EQ(sheet.Headline(), "door: 1 of 1 photos right, 0 wrong");
  sheet.AddRefused("2042.jpg", "NO_FACE");
  EXPECT_EQ(sheet.Headline(), "door: 1 of 1 photos right, 0 wrong; 1 could not be answered");
}

using SheetCommandTest = FacegateCliTest;

TEST_F(SheetCommandTest, KnowsWhoAPhotoShowsByTheNameOfItsFile) {
  ASSERT_EQ(Run({"enroll", "2042", Photo("a.jpg", "a")}).code, 0);
  const std::string page = dir_.File("page.png");
  const auto mark = [&](const std::string& photo, const std::string& expect) {
    Run({"identify", photo, "--sheet", page, "--expect", expect});
    return cv::imread(page)(cv::Rect(kTileLeft, kMarkTop, kMarkSide, kMarkSide)).clone();
  };
  EXPECT_TRUE(Same(mark(Photo("2042.jpg", "a"), "file"), MarkItself(VerdictMark::kRight)));
  EXPECT_TRUE(Same(mark(Photo("2042.jpg", "b"), "file"), MarkItself(VerdictMark::kWrong)));
  EXPECT_TRUE(Same(mark(Photo("other.jpg", "b"), "file"), MarkItself(VerdictMark::kRightNobody)));
  EXPECT_TRUE(Same(mark(Photo("2042/x.jpg", "a"), "folder"), MarkItself(VerdictMark::kRight)));
}

// Somebody of the second collection who is not found is a mistake, and no stranger.
TEST_F(SheetCommandTest, KnowsWhoAPhotoShowsInAnyOfTheCollections) {
  ASSERT_EQ(Run({"enroll", "2042", Photo("a.jpg", "a")}).code, 0);
  server_.gallery.identities_in = "visitors";
  const std::string page = dir_.File("page.png");
  const std::string photo = Photo("2042.jpg", "b");
  const auto mark = [&](const std::string& second) {
    Run({"identify", "-c", "staff", "-c", second, photo, "--sheet", page, "--expect", "file"});
    return cv::imread(page)(cv::Rect(kTileLeft, kMarkTop, kMarkSide, kMarkSide)).clone();
  };
  EXPECT_TRUE(Same(mark("visitors"), MarkItself(VerdictMark::kWrong)));
  EXPECT_TRUE(Same(mark("guests"), MarkItself(VerdictMark::kRightNobody)));
}

TEST_F(SheetCommandTest, KnowsTheFolderOfAPathWithDotsInIt) {
  ASSERT_EQ(Run({"enroll", "2042", Photo("a.jpg", "a")}).code, 0);
  const std::string page = dir_.File("page.png");
  Photo("2042/x.jpg", "a");
  Photo("2042/more/y.jpg", "a");
  for (const char* photo : {"2042/./x.jpg", "2042/more/../x.jpg"}) {
    Run({"identify", dir_.File(photo), "--sheet", page, "--expect", "folder"});
    const cv::Mat mark = cv::imread(page)(cv::Rect(kTileLeft, kMarkTop, kMarkSide, kMarkSide));
    EXPECT_TRUE(Same(mark, MarkItself(VerdictMark::kRight))) << photo;
  }
}

}  // namespace
}  // namespace facegate::cli
