#include "face/image/decode.h"

#include <gmock/gmock.h>
#include <png.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "face/base/coding.h"
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

// The picture with an alpha that grows from left to right, and what is to be seen of it on white.
struct Transparent {
  cv::Mat bgra;
  cv::Mat on_white;
};
Transparent TransparentPicture() {
  Transparent picture{.bgra = cv::Mat(21, 37, CV_8UC4), .on_white = SmoothPicture(37, 21)};
  cv::cvtColor(picture.on_white, picture.bgra, cv::COLOR_BGR2BGRA);
  for (int row = 0; row < 21; ++row) {
    for (int column = 0; column < 37; ++column) {
      const int alpha = column * 255 / 36;
      picture.bgra.at<cv::Vec4b>(row, column)[3] = static_cast<uint8_t>(alpha);
      auto& seen = picture.on_white.at<cv::Vec3b>(row, column);
      for (int i = 0; i < 3; ++i) {
        seen[i] = cv::saturate_cast<uint8_t>((seen[i] * alpha + 255 * (255 - alpha)) / 255.0);
      }
    }
  }
  return picture;
}

// A bitmap whose header (of 56 bytes) says which bits are alpha; OpenCV's encoder does not say it.
std::string BitmapWithAlpha(const cv::Mat& bgra) {
  constexpr uint32_t kOffset = 14 + 56;
  const auto pixels = static_cast<uint32_t>(4 * bgra.total());
  std::string file = "BM";
  for (const uint32_t value : {kOffset + pixels, 0U, kOffset, 56U, static_cast<uint32_t>(bgra.cols),
                               static_cast<uint32_t>(bgra.rows), 32U << 16 | 1U, 3U, pixels, 0U, 0U,
                               0U, 0U, 0xff0000U, 0xff00U, 0xffU, 0xff000000U}) {
    AppendLittleEndian(file, value);
  }
  for (int row = bgra.rows - 1; row >= 0; --row) {
    file.append(bgra.ptr<char>(row), 4 * static_cast<size_t>(bgra.cols));
  }
  return file;
}

TEST(DecodeImageTest, LaysTransparencyOnWhite) {
  const auto [bgra, on_white] = TransparentPicture();
  ExpectPixels(EncodeImage(".png", bgra), on_white, 1);
  ExpectPixels(BitmapWithAlpha(bgra), on_white, 1);
  ExpectPixels(EncodeImage(".webp", bgra, {cv::IMWRITE_WEBP_QUALITY, 101}), on_white, 1);
  ExpectPixels(EncodeImage(".webp", bgra, {cv::IMWRITE_WEBP_QUALITY, 98}), on_white, 24);
}

TEST(DecodeImageTest, LaysTransparentGreyPalettesAndColoursOnWhite) {
  // Grey 0 and 100, with the alpha 0 and 255.
  const cv::Mat grey = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b::all(255), cv::Vec3b::all(100));
  ExpectPixels(PngOfRows(PngHeaderChunk(2, 1, 8, 4), "", std::string("\0\0\0\x64\xff", 5)), grey);
  // The grey 0 is the transparent one.
  ExpectPixels(PngOfRows(PngHeaderChunk(2, 1, 8, 0), PngChunk("tRNS", std::string(2, '\0')),
                         std::string("\0\0\x64", 3)),
               grey);
  // The colour 0, 0, 0 is the transparent one.
  ExpectPixels(PngOfRows(PngHeaderChunk(2, 1, 8, 2), PngChunk("tRNS", std::string(6, '\0')),
                         std::string("\0\0\0\0\x64\x64\x64", 7)),
               grey);
}

TEST(DecodeImageTest, TakesABitmapWhoseAlphaIsZeroEverywhereForAnOpaqueOne) {
  auto [bgra, on_white] = TransparentPicture();
  cv::insertChannel(cv::Mat(bgra.size(), CV_8UC1, cv::Scalar(0)), bgra, 3);
  ExpectPixels(BitmapWithAlpha(bgra), SmoothPicture(37, 21));
}

// libpng's own encoder: OpenCV's writes no interlaced pictures.
std::string InterlacedPng(const cv::Mat& bgra) {
  std::string png;
  png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(writer);
  png_set_write_fn(
      writer, &png,
      [](png_structp to, png_bytep bytes, size_t count) {
        static_cast<std::string*>(png_get_io_ptr(to))
            ->append(reinterpret_cast<const char*>(bytes), count);
      },
      nullptr);
  png_set_IHDR(writer, info, static_cast<png_uint_32>(bgra.cols),
               static_cast<png_uint_32>(bgra.rows), 8, PNG_COLOR_TYPE_RGBA, PNG_INTERLACE_ADAM7,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer, info);
  png_set_bgr(writer);
  std::vector<png_bytep> rows;
  for (int row = 0; row < bgra.rows; ++row) rows.push_back(const_cast<png_bytep>(bgra.ptr(row)));
  png_write_image(writer, rows.data());
  png_write_end(writer, nullptr);
  png_destroy_write_struct(&writer, &info);
  return png;
}

TEST(DecodeImageTest, PutsInterlacedPicturesTogetherBeforeItLaysThemOnWhite) {
  const auto [bgra, on_white] = TransparentPicture();
  ExpectPixels(InterlacedPng(bgra), on_white, 1);
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
  // The first colour is transparent, the second one half so.
  const cv::Mat on_white = (cv::Mat_<cv::Vec3b>(2, 2) << cv::Vec3b(255, 255, 255),
                            cv::Vec3b(127, 255, 127), cv::Vec3b(0, 0, 255), cv::Vec3b(30, 20, 10));
  ExpectPixels(
      PngOfRows(PngHeaderChunk(2, 2, 8, 3),
                PngChunk("PLTE", palette) + PngChunk("tRNS", std::string("\0\x80", 2)), rows),
      on_white);
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
  EXPECT_THAT(MessageOf(image.status()), HasSubstr("100000000 pixels, the limit is 40000000"));
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
