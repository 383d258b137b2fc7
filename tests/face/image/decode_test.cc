#include "face/image/decode.h"

#include <gmock/gmock.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "face/base/sha256.h"
#include "tests/support/encoded_image.h"
#include "tests/support/exif_orientation.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr DecodeLimits kLimits;

bool SamePixels(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

void ExpectPixels(const std::string& encoded, const cv::Mat& expected, double tolerance = 0) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(encoded, kLimits));
  ASSERT_EQ(image.bgr.type(), CV_8UC3);
  ASSERT_EQ(image.bgr.size(), expected.size());
  EXPECT_LE(cv::norm(image.bgr, expected, cv::NORM_INF), tolerance);
}

TEST(DecodeImageTest, GivesThePixelsOfLosslessFormats) {
  const cv::Mat picture = SmoothPicture(37, 21);
  for (const char* extension : {".png", ".bmp", ".ppm"}) {
    ExpectPixels(EncodeImage(extension, picture), picture);
  }
  ExpectPixels(EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 101}), picture);
}

TEST(DecodeImageTest, GivesAPictureLikeTheOneThatWasCodedWithLoss) {
  const cv::Mat picture = SmoothPicture(64, 48);
  ExpectPixels(EncodeImage(".jpg", picture, {cv::IMWRITE_JPEG_QUALITY, 98}), picture, 12);
  ExpectPixels(EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 98}), picture, 16);
}

TEST(DecodeImageTest, GivesTheSameJpegPixelsAsOpenCv) {
  const cv::Mat picture = SmoothPicture(123, 77);
  for (const int progressive : {0, 1}) {
    for (const int restart : {0, 2}) {
      const std::string jpeg =
          EncodeImage(".jpg", picture,
                      {cv::IMWRITE_JPEG_QUALITY, 60, cv::IMWRITE_JPEG_PROGRESSIVE, progressive,
                       cv::IMWRITE_JPEG_RST_INTERVAL, restart});
      ExpectPixels(jpeg,
                   cv::imdecode(std::vector<char>(jpeg.begin(), jpeg.end()), cv::IMREAD_COLOR));
    }
  }
}

TEST(DecodeImageTest, ExpandsGrey) {
  cv::Mat grey;
  cv::cvtColor(SmoothPicture(37, 21), grey, cv::COLOR_BGR2GRAY);
  cv::Mat expected;
  cv::cvtColor(grey, expected, cv::COLOR_GRAY2BGR);
  for (const char* extension : {".png", ".bmp", ".pgm"}) {
    ExpectPixels(EncodeImage(extension, grey), expected);
  }
  ExpectPixels(EncodeImage(".jpg", grey, {cv::IMWRITE_JPEG_QUALITY, 100}), expected, 3);
}

TEST(DecodeImageTest, DropsAlpha) {
  const cv::Mat picture = SmoothPicture(37, 21);
  cv::Mat transparent;
  cv::cvtColor(picture, transparent, cv::COLOR_BGR2BGRA);
  cv::Mat alpha(picture.size(), CV_8UC1, cv::Scalar(7));
  cv::insertChannel(alpha, transparent, 3);
  ExpectPixels(EncodeImage(".png", transparent), picture);
  ExpectPixels(EncodeImage(".webp", transparent, {cv::IMWRITE_WEBP_QUALITY, 101}), picture);
}

TEST(DecodeImageTest, Makes8BitsOf16) {
  const cv::Mat picture = SmoothPicture(37, 21);
  cv::Mat deep;
  picture.convertTo(deep, CV_16UC3, 257);
  ExpectPixels(EncodeImage(".png", deep), picture);
  ExpectPixels(EncodeImage(".ppm", deep), picture);
}

TEST(DecodeImageTest, ExpandsPalettesAndFewBitGrey) {
  const std::string palette("\x00\x00\xff\x00\xff\x00\xff\x00\x00\x0a\x14\x1e", 12);  // RGB
  const std::string rows("\0\0\1\0\2\3", 6);
  const cv::Mat colours = (cv::Mat_<cv::Vec3b>(2, 2) << cv::Vec3b(255, 0, 0), cv::Vec3b(0, 255, 0),
                           cv::Vec3b(0, 0, 255), cv::Vec3b(30, 20, 10));
  ExpectPixels(PngOfRows(PngHeaderChunk(2, 2, 8, 3), PngChunk("PLTE", palette), rows), colours);
  // A transparent palette entry keeps its colour.
  ExpectPixels(
      PngOfRows(PngHeaderChunk(2, 2, 8, 3),
                PngChunk("PLTE", palette) + PngChunk("tRNS", std::string("\0\x80", 2)), rows),
      colours);
  const cv::Mat two_bit = (cv::Mat_<cv::Vec3b>(1, 4) << cv::Vec3b::all(0), cv::Vec3b::all(85),
                           cv::Vec3b::all(170), cv::Vec3b::all(255));
  ExpectPixels(PngOfRows(PngHeaderChunk(4, 1, 2, 0), "", std::string("\0\x1b", 2)), two_bit);
}

TEST(DecodeImageTest, TurnsEachOrientationUprightToTheBit) {
  const cv::Mat upright = SmoothPicture(37, 21);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const cv::Mat stored = StoredForOrientation(upright, orientation);
    const std::string tiff = TiffBlock(orientation, orientation % 2 == 0);
    ExpectPixels(PngWithExif(EncodeImage(".png", stored), tiff), upright);
    ExpectPixels(WebpWithExif(EncodeImage(".webp", stored, {cv::IMWRITE_WEBP_QUALITY, 101}), tiff,
                              stored.size()),
                 upright);
    const std::string jpeg = EncodeImage(".jpg", stored, {cv::IMWRITE_JPEG_QUALITY, 100});
    ExpectPixels(JpegWithExif(jpeg, tiff), upright, 16);
  }
}

// The definition itself, on a picture of two by three pixels: orientation o says which side of the
// scene the stored first row and first column are.
TEST(DecodeImageTest, FollowsTheDefinitionOfTheOrientations) {
  // Upright: a b / c d / e f.
  const char* const stored[8] = {"ab/cd/ef", "ba/dc/fe", "fe/dc/ba", "ef/cd/ab",
                                 "ace/bdf",  "bdf/ace",  "fdb/eca",  "eca/fdb"};
  cv::Mat expected(3, 2, CV_8UC3);
  for (int i = 0; i < 6; ++i)
    expected.at<cv::Vec3b>(i / 2, i % 2) = cv::Vec3b::all(uint8_t('a' + i));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string text = stored[orientation - 1];
    const auto width = static_cast<int>(text.find('/'));
    std::string letters = text;
    std::erase(letters, '/');
    cv::Mat grey(6 / width, width, CV_8UC1, letters.data());
    ExpectPixels(PngWithExif(EncodeImage(".png", grey), TiffBlock(orientation, true)), expected);
  }
}

TEST(DecodeImageTest, RefusesTooManyBytesBeforeLookingAtThem) {
  const std::string png = EncodeImage(".png", SmoothPicture(37, 21));
  DecodeLimits limits;
  limits.max_bytes = png.size();
  EXPECT_THAT(DecodeImage(png, limits), IsOk());
  limits.max_bytes = png.size() - 1;
  const auto image = DecodeImage(png, limits);
  ASSERT_THAT(image, RefusedWith(Reason::kImageTooLarge));
  EXPECT_THAT(MessageOf(image.status()), HasSubstr(std::to_string(png.size())));
  EXPECT_THAT(DecodeImage(std::string(png.size(), 'x'), limits),
              RefusedWith(Reason::kImageTooLarge));
}

TEST(DecodeImageTest, RefusesAHeaderThatClaimsTooManyPixels) {
  // A hundred megapixels in a hundred bytes.
  const auto image =
      DecodeImage(PngOfRows(PngHeaderChunk(10000, 10000, 8, 2), "", "nothing"), kLimits);
  ASSERT_THAT(image, RefusedWith(Reason::kImageTooLarge));
  EXPECT_THAT(MessageOf(image.status()), HasSubstr("100000000 pixels, limit is 40000000"));
  // The product of the sides does not overflow.
  EXPECT_THAT(DecodeImage(PngOfRows(PngHeaderChunk(0x7fffffff, 0x7fffffff, 8, 2), "", ""), kLimits),
              RefusedWith(Reason::kImageTooLarge));
  // Three pixels are allowed, four are there.
  const DecodeLimits few{.max_pixels = 3};
  EXPECT_THAT(DecodeImage("P2 2 2 9 1 2 3 4", few), RefusedWith(Reason::kImageTooLarge));
  DecodeLimits limits;
  limits.max_pixels = uint64_t{37} * 21;
  EXPECT_THAT(DecodeImage(EncodeImage(".bmp", SmoothPicture(37, 21)), limits), IsOk());
  EXPECT_THAT(DecodeImage(EncodeImage(".bmp", SmoothPicture(37, 22)), limits),
              RefusedWith(Reason::kImageTooLarge));
}

TEST(DecodeImageTest, RefusesASideThatTheWarpCannotCount) {
  EXPECT_THAT(DecodeImage(EncodeImage(".png", cv::Mat::zeros(1, 32766, CV_8UC1)), kLimits), IsOk());
  EXPECT_THAT(DecodeImage(EncodeImage(".png", cv::Mat::zeros(1, 32767, CV_8UC1)), kLimits),
              RefusedWith(Reason::kImageTooLarge));
}

TEST(DecodeImageTest, LeavesTheBytesAlone) {
  const std::string png = EncodeImage(".png", SmoothPicture(37, 21));
  const std::string digest = Sha256Hex(png);
  ASSERT_THAT(DecodeImage(png, kLimits), IsOk());
  EXPECT_EQ(Sha256Hex(png), digest);
}

TEST(DecodeImageTest, IsTheSameEveryTime) {
  const std::string jpeg = EncodeImage(".jpg", SmoothPicture(64, 48));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image first, DecodeImage(jpeg, kLimits));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image second, DecodeImage(jpeg, kLimits));
  EXPECT_TRUE(SamePixels(first.bgr, second.bgr));
  EXPECT_NE(first.bgr.data, second.bgr.data);
}

}  // namespace
}  // namespace facegate
