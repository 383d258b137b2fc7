#include "face/image/encode.h"

#include <gmock/gmock.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "face/image/decode.h"
#include "face/image/mat_pixels.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// Of a width whose rows of three bytes a bitmap fills up.
cv::Mat Drawn() {
  cv::Mat picture = SmoothPicture(85, 61);
  cv::circle(picture, {40, 30}, 20, {10, 200, 90}, 3);
  return picture;
}

TEST(EncodeTest, WritesTheBytesThatOpenCvWrites) {
  const cv::Mat picture = Drawn();
  for (const char* end : {".jpg", ".png", ".webp", ".bmp"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                                  EncodePixels(ViewOf(picture), *FormatOfFileName(end)));
    EXPECT_TRUE(bytes == EncodeImage(end, picture)) << end;
  }
}

TEST(EncodeTest, WritesGreyAndOtherQualitiesAsOpenCvDoes) {
  cv::Mat grey;
  cv::extractChannel(Drawn(), grey, 0);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string png, EncodePng(ViewOf(grey)));
  EXPECT_TRUE(png == EncodeImage(".png", grey));
  for (const int quality : {1, 30, 90, 100}) {
    const std::vector<int> parameters = {cv::IMWRITE_JPEG_QUALITY, quality};
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string jpeg, EncodeJpeg(ViewOf(grey), quality));
    EXPECT_TRUE(jpeg == EncodeImage(".jpg", grey, parameters)) << quality;
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string colour, EncodeJpeg(ViewOf(Drawn()), quality));
    EXPECT_TRUE(colour == EncodeImage(".jpg", Drawn(), parameters)) << quality;
  }
}

TEST(EncodeTest, WritesAPartOfAPicture) {
  const cv::Mat part = Drawn()(cv::Rect(7, 5, 30, 20));
  for (const ImageFormat format : {ImageFormat::kPng, ImageFormat::kWebp, ImageFormat::kBmp}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes, EncodePixels(ViewOf(part), format));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(bytes, {}));
    ASSERT_EQ(image.bgr.size(), part.size());
    EXPECT_EQ(cv::norm(image.bgr, part, cv::NORM_INF), 0.0) << Name(format);
  }
}

TEST(EncodeTest, KnowsAFormatByTheEndOfTheName) {
  EXPECT_EQ(FormatOfFileName("a/page.PNG"), ImageFormat::kPng);
  EXPECT_EQ(FormatOfFileName(".jpeg"), ImageFormat::kJpeg);
  for (const char* none : {"", "png", "page.png/other", "page.tif", "page.", "page.png "}) {
    EXPECT_EQ(FormatOfFileName(none), std::nullopt) << none;
  }
}

TEST(EncodeTest, RefusesWhatAFormatCannotHold) {
  const cv::Mat wide(1, 65501, CV_8UC3);
  EXPECT_THAT(std::string(MessageOf(EncodePixels(ViewOf(wide), ImageFormat::kWebp).status())),
              HasSubstr("at most 16383 pixels each way, the picture is 65501x1"));
  EXPECT_THAT(EncodePixels(ViewOf(wide), ImageFormat::kJpeg),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(EncodePixels(ViewOf(wide), ImageFormat::kPng), IsOk());
  EXPECT_THAT(EncodePixels({}, ImageFormat::kPng), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(EncodePixels(ViewOf(wide), ImageFormat::kGif),
              StatusIs(StatusCode::kInvalidArgument));
  const cv::Mat transparent(4, 4, CV_8UC4);
  EXPECT_THAT(EncodePng(ViewOf(transparent)), StatusIs(StatusCode::kInvalidArgument));
}

TEST(EncodeTest, RefusesMoreThanTwoGigabytes) {
  // Nothing is read: the size alone is refused.
  const PixelView huge{.first = nullptr, .width = 900'000, .height = 900, .stride = 2'700'000};
  for (const ImageFormat format : {ImageFormat::kPng, ImageFormat::kBmp}) {
    EXPECT_THAT(EncodePixels(huge, format), StatusIs(StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace facegate
