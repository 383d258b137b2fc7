#include "face/detect/crop_measures.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace facegate {
namespace {

// Discs and lines with sharp edges, drawn at four times the size: no photo of anybody.
cv::Mat SharpGreyCrop() {
  cv::Mat large(448, 448, CV_8UC1, cv::Scalar(150));
  cv::RNG random(5);
  for (int i = 0; i < 40; ++i) {
    cv::circle(large, {random.uniform(0, 448), random.uniform(0, 448)}, random.uniform(10, 60),
               cv::Scalar(random.uniform(20, 240)), i % 2 == 0 ? -1 : 6);
  }
  cv::Mat crop;
  cv::resize(large, crop, {112, 112}, 0, 0, cv::INTER_AREA);
  return crop;
}

cv::Mat ShrunkAndEnlarged(const cv::Mat& crop, double eyes) {
  const int side = static_cast<int>(112 * eyes / 35.24);
  cv::Mat small;
  cv::resize(crop, small, {side, side}, 0, 0, cv::INTER_AREA);
  cv::Mat large;
  cv::resize(small, large, {112, 112}, 0, 0, cv::INTER_CUBIC);
  return large;
}

TEST(CropMeasuresTest, FindsTheTrueResolutionOfAnEnlargedCrop) {
  const cv::Mat sharp = SharpGreyCrop();
  EXPECT_GT(MeasureDetail(sharp), 25);
  // Discs have sharper edges than faces: they look finer than they are, but no finer than twice.
  double before = 0;
  for (const double eyes : {3.0, 5.0, 8.0}) {
    const double detail = MeasureDetail(ShrunkAndEnlarged(sharp, eyes));
    EXPECT_GT(detail, before) << eyes;
    EXPECT_GT(detail, 0.8 * eyes) << eyes;
    EXPECT_LT(detail, 2 * eyes) << eyes;
    before = detail;
  }
}

TEST(CropMeasuresTest, IsHardlyFooledByNoise) {
  cv::Mat crop = ShrunkAndEnlarged(SharpGreyCrop(), 5);
  const double before = MeasureDetail(crop);
  cv::Mat noise(crop.size(), CV_16SC1);
  cv::RNG random(7);
  random.fill(noise, cv::RNG::NORMAL, 0, 3);
  cv::add(crop, noise, crop, cv::noArray(), CV_8U);
  EXPECT_LT(MeasureDetail(crop), 1.5 * before);
}

TEST(CropMeasuresTest, SeesThatAFaceMovedThoughItIsSharpAcrossItsWay) {
  const cv::Mat sharp = SharpGreyCrop();
  cv::Mat moved;
  cv::blur(sharp, moved, {15, 1});
  EXPECT_LT(MeasureDetail(moved), 0.3 * MeasureDetail(sharp));
}

TEST(CropMeasuresTest, MeasuresNoiseBesideEdges) {
  cv::Mat crop = SharpGreyCrop();
  EXPECT_LT(MeasureNoise(crop), 2);
  cv::Mat noise(crop.size(), CV_16SC1);
  cv::RNG random(7);
  random.fill(noise, cv::RNG::NORMAL, 0, 20);
  cv::add(crop / 2 + 60, noise, crop, cv::noArray(), CV_8U);
  EXPECT_NEAR(MeasureNoise(crop), 20, 3);
  EXPECT_EQ(MeasureNoise(cv::Mat(112, 112, CV_8UC1, cv::Scalar(90))), 0.0);
}

TEST(CropMeasuresTest, FindsTheBlocksOfStrongCompressionWhereverTheyLie) {
  cv::Mat smooth(120, 120, CV_8UC1);
  for (int y = 0; y < smooth.rows; ++y) {
    for (int x = 0; x < smooth.cols; ++x) smooth.at<uchar>(y, x) = static_cast<uchar>(x + y / 2);
  }
  EXPECT_NEAR(MeasureBlocks(smooth), 1, 0.4);
  cv::Mat blocks;
  cv::resize(smooth, blocks, {15, 15}, 0, 0, cv::INTER_AREA);
  cv::resize(blocks, blocks, {120, 120}, 0, 0, cv::INTER_NEAREST);
  EXPECT_GT(MeasureBlocks(blocks), 3);
  EXPECT_GT(MeasureBlocks(blocks(cv::Rect(3, 5, 100, 100))), 3);
  EXPECT_EQ(MeasureBlocks(blocks(cv::Rect(0, 0, 20, 20))), 1.0);
}

TEST(CropMeasuresTest, SeesNoDetailInOneColour) {
  EXPECT_EQ(MeasureDetail(cv::Mat(112, 112, CV_8UC1, cv::Scalar(90))), 0.0);
}

TEST(CropMeasuresTest, CountsDarkAndBrightPixelsOfTheFaceAlone) {
  cv::Mat frame(96, 96, CV_8UC1, cv::Scalar(0));
  // The face in a dark room.
  cv::ellipse(frame, {48, 48}, {40, 46}, 0, 0, 360, cv::Scalar(120), -1);
  EXPECT_EQ(MeasureLight(frame).dark_share, 0.0);
  frame.setTo(cv::Scalar(20));
  EXPECT_EQ(MeasureLight(frame).dark_share, 1.0);
  frame(cv::Rect(0, 0, 48, 96)).setTo(cv::Scalar(250));
  EXPECT_NEAR(MeasureLight(frame).bright_share, 0.5, 0.02);
}

TEST(CropMeasuresTest, MeasuresTheEntropyInBits) {
  cv::Mat frame(96, 96, CV_8UC1, cv::Scalar(100));
  EXPECT_EQ(MeasureLight(frame).entropy, 0.0);
  for (int row = 0; row < frame.rows; ++row) frame.row(row).setTo(cv::Scalar(row % 2));
  EXPECT_NEAR(MeasureLight(frame).entropy, 1.0, 0.01);
}

TEST(OwnPixelsTest, AreFewInAPictureOfRepeatedPixels) {
  cv::Mat small(28, 28, CV_8UC1);
  cv::theRNG().state = 7;
  cv::randn(small, 128, 40);
  EXPECT_GT(MeasureOwnPixels(small), 0.98);
  cv::Mat large;
  cv::resize(small, large, {112, 112}, 0, 0, cv::INTER_NEAREST);
  EXPECT_NEAR(MeasureOwnPixels(large), 0.25, 0.02);
  std::vector<uchar> jpeg;
  cv::imencode(".jpg", large, jpeg, {cv::IMWRITE_JPEG_QUALITY, 90});
  EXPECT_LT(MeasureOwnPixels(cv::imdecode(jpeg, cv::IMREAD_GRAYSCALE)), 0.5);
}

TEST(OwnPixelsTest, AreAllOfAPictureWithoutDifferences) {
  EXPECT_EQ(MeasureOwnPixels(cv::Mat(40, 40, CV_8UC1, cv::Scalar(9))), 1.0);
  EXPECT_EQ(MeasureOwnPixels(cv::Mat(1, 1, CV_8UC1, cv::Scalar(9))), 1.0);
}

TEST(UniformityTest, IsLittleWhereOneHalfIsCovered) {
  cv::Mat frame;
  cv::resize(SharpGreyCrop(), frame, {96, 96}, 0, 0, cv::INTER_AREA);
  EXPECT_GT(MeasureLight(frame).uniformity, 0.4);
  frame(cv::Rect(48, 0, 48, 96)).setTo(3);
  EXPECT_LT(MeasureLight(frame).uniformity, 0.1);
}

}  // namespace
}  // namespace facegate
