#include "face/detect/face_frame.h"

#include <gmock/gmock.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

FaceFrame Turned() { return {.centre = {120.5, 80.25}, .side = 50, .angle = 0.4}; }

TEST(FaceFrameTest, GoesToThePictureAndBack) {
  const FaceFrame frame = Turned();
  for (const cv::Point2d& own : {cv::Point2d(0, 0), cv::Point2d(1, 0), cv::Point2d(0.3, 0.9)}) {
    const cv::Point2d back = frame.FromPicture(frame.ToPicture(own));
    EXPECT_NEAR(back.x, own.x, 1e-12);
    EXPECT_NEAR(back.y, own.y, 1e-12);
  }
  EXPECT_EQ(frame.ToPicture({0.5, 0.5}), frame.centre);
  // Clockwise as seen: the right side goes down.
  EXPECT_GT(frame.ToPicture({1, 0.5}).y, frame.centre.y);
}

TEST(FaceFrameTest, IsFoundAgainByTheLandmarksOfTheAverageFace) {
  const FaceFrame frame = Turned();
  std::vector<cv::Point2f> points;
  points.reserve(AverageFace().size());
  for (const cv::Point2d& own : AverageFace()) points.emplace_back(frame.ToPicture(own));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceFrame found, FrameOfLandmarks(points));
  EXPECT_NEAR(found.centre.x, frame.centre.x, 1e-4);
  EXPECT_NEAR(found.centre.y, frame.centre.y, 1e-4);
  EXPECT_NEAR(found.side, frame.side, 1e-4);
  EXPECT_NEAR(found.angle, frame.angle, 1e-5);
}

TEST(FaceFrameTest, NeedsLandmarksThatDiffer) {
  EXPECT_THAT(FrameOfLandmarks(std::vector<cv::Point2f>(5, {3, 4})), RefusedWith(Reason::kNoFace));
  EXPECT_THAT(FrameOfLandmarks(std::vector<cv::Point2f>(5, {NAN, 4})),
              RefusedWith(Reason::kNoFace));
}

// A plain bilinear sample of a picture whose edge goes on.
double SampleAt(const cv::Mat& picture, const cv::Point2d& point) {
  const auto pixel = [&](int x, int y) {
    return static_cast<double>(
        picture.at<uchar>(std::clamp(y, 0, picture.rows - 1), std::clamp(x, 0, picture.cols - 1)));
  };
  const int x = static_cast<int>(std::floor(point.x));
  const int y = static_cast<int>(std::floor(point.y));
  const double right = point.x - x;
  const double below = point.y - y;
  return (1 - below) * ((1 - right) * pixel(x, y) + right * pixel(x + 1, y)) +
         below * ((1 - right) * pixel(x, y + 1) + right * pixel(x + 1, y + 1));
}

// Waves that a bilinear sample follows.
cv::Mat Waves(int width, int height, double length) {
  cv::Mat picture(height, width, CV_8UC1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.at<uchar>(y, x) = cv::saturate_cast<uchar>(128 + 60 * std::sin(x / length) +
                                                         50 * std::cos((y + 0.5 * x) / length));
    }
  }
  return picture;
}

TEST(CutFrameTest, ShowsWhatAPlainBilinearSampleShows) {
  const cv::Mat picture = Waves(200, 160, 9);
  // The second one reaches beyond the picture.
  for (const FaceFrame& frame : {Turned(), FaceFrame{{10, 150}, 60, -0.7}}) {
    const cv::Mat crop = CutFrame(picture, frame, 64);
    ASSERT_EQ(crop.size(), cv::Size(64, 64));
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        const cv::Point2d at = frame.ToPicture({(x + 0.5) / 64, (y + 0.5) / 64});
        ASSERT_NEAR(crop.at<uchar>(y, x), SampleAt(picture, at), 3) << x << " " << y;
      }
    }
  }
}

TEST(CutFrameTest, AveragesWhereItShrinksAndKeepsThePlace) {
  // Four times as large as the other picture: the same crop, but for the averaging.
  const cv::Mat small = Waves(200, 160, 9);
  cv::Mat large(4 * small.rows, 4 * small.cols, CV_8UC1);
  for (int y = 0; y < large.rows; ++y) {
    for (int x = 0; x < large.cols; ++x) {
      // Stripes of single pixels that an average takes away.
      const int stripe = (x + y) % 2 == 0 ? 20 : -20;
      large.at<uchar>(y, x) = cv::saturate_cast<uchar>(small.at<uchar>(y / 4, x / 4) + stripe);
    }
  }
  const FaceFrame frame{.centre = {100, 80}, .side = 60, .angle = 0.2};
  FaceFrame larger = frame;
  larger.centre = (frame.centre + cv::Point2d(0.5, 0.5)) * 4 - cv::Point2d(0.5, 0.5);
  larger.side = 4 * frame.side;
  cv::Mat difference;
  cv::absdiff(CutFrame(small, frame, 64), CutFrame(large, larger, 64), difference);
  EXPECT_LT(cv::mean(difference)[0], 2);
}

TEST(CutFrameTest, IsMidGreyOutsideThePicture) {
  const cv::Mat crop =
      CutFrame(Waves(20, 20, 5), {.centre = {500, 500}, .side = 40, .angle = 0}, 16);
  EXPECT_EQ(cv::mean(crop)[0], 128);
  EXPECT_EQ(cv::countNonZero(crop != 128), 0);
}

}  // namespace
}  // namespace facegate
