#include "face/image/jpeg_pixels.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <opencv2/core.hpp>
#include <string>
// It comes after <cstdio>: jpeglib.h needs FILE and does not include it.
#include <jpeglib.h>

#include "face/image/decode.h"
#include "face/image/jpeg_header.h"
#include "face/image/mat_pixels.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// Lets libjpeg encode 8-bit pixels; `choose` changes its defaults.
std::string JpegOf(cv::Mat pixels, J_COLOR_SPACE space,
                   const std::function<void(jpeg_compress_struct&)>& choose) {
  jpeg_error_mgr errors;
  jpeg_compress_struct compress{};
  compress.err = jpeg_std_error(&errors);
  jpeg_create_compress(&compress);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&compress, &buffer, &size);
  compress.image_width = static_cast<JDIMENSION>(pixels.cols);
  compress.image_height = static_cast<JDIMENSION>(pixels.rows);
  compress.input_components = pixels.channels();
  compress.in_color_space = space;
  jpeg_set_defaults(&compress);
  choose(compress);
  jpeg_start_compress(&compress, TRUE);
  while (compress.next_scanline < compress.image_height) {
    JSAMPROW line = pixels.ptr(static_cast<int>(compress.next_scanline));
    jpeg_write_scanlines(&compress, &line, 1);
  }
  jpeg_finish_compress(&compress);
  jpeg_destroy_compress(&compress);
  std::string jpeg(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return jpeg;
}

// A picture of one colour in four inks.
std::string CmykJpeg(const cv::Vec4b& inks, bool adobe_marker) {
  return JpegOf(cv::Mat(16, 16, CV_8UC4, cv::Scalar(inks)), JCS_CMYK,
                [&](jpeg_compress_struct& compress) {
                  compress.write_Adobe_marker = adobe_marker ? TRUE : FALSE;
                  jpeg_set_quality(&compress, 100, TRUE);
                });
}

std::string ArithmeticJpeg(bool progressive) {
  return JpegOf(SmoothPicture(96, 80), JCS_EXT_BGR, [&](jpeg_compress_struct& compress) {
    compress.arith_code = TRUE;
    if (progressive) jpeg_simple_progression(&compress);
  });
}

StatusOr<cv::Mat> PixelsOf(const std::string& jpeg, const ImageHeader& header) {
  cv::Mat bgr(header.height, header.width, CV_8UC3);
  FACEGATE_RETURN_IF_ERROR(DecodeJpegPixels(jpeg, header, {}, RowsOf(bgr)));
  return bgr;
}

cv::Vec3b ColourOf(const std::string& jpeg) {
  const auto header = ParseJpegHeader(jpeg);
  EXPECT_THAT(header, IsOk());
  const auto bgr = PixelsOf(jpeg, *header);
  EXPECT_THAT(bgr, IsOk());
  return bgr->at<cv::Vec3b>(8, 8);
}

void ExpectNear(const cv::Vec3b& actual, const cv::Vec3b& expected) {
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(actual[i], expected[i], 3) << "channel " << i;
}

TEST(JpegPixelsTest, ConvertsFourInks) {
  // Cyan 0, magenta 0.4, yellow 1, black 0.2: red 0.8, green 0.48, blue 0.
  ExpectNear(ColourOf(CmykJpeg({0, 102, 255, 51}, false)), {0, 122, 204});
  // Adobe's files hold the inks inverted.
  ExpectNear(ColourOf(CmykJpeg({255, 153, 0, 204}, true)), {0, 122, 204});
}

TEST(JpegPixelsTest, TakesArithmeticCodingOnlyWithAnEndMarker) {
  for (const bool progressive : {false, true}) {
    const std::string jpeg = ArithmeticJpeg(progressive);
    ASSERT_NE(jpeg.find(progressive ? "\xff\xca" : "\xff\xc9"), std::string::npos);
    ASSERT_THAT(DecodeImage(jpeg, {}), IsOk());
    for (size_t size = jpeg.size() - 1; size > jpeg.size() / 4; size -= 23) {
      EXPECT_THAT(DecodeImage(jpeg.substr(0, size), {}), RefusedWith(Reason::kImageUndecodable))
          << size << " of " << jpeg.size() << (progressive ? " progressive" : "");
    }
  }
}

TEST(JpegPixelsTest, RefusesAHeaderOfAnotherSize) {
  const std::string jpeg = EncodeImage(".jpg", SmoothPicture(20, 10));
  FACEGATE_ASSERT_OK_AND_ASSIGN(ImageHeader header, ParseJpegHeader(jpeg));
  ASSERT_THAT(PixelsOf(jpeg, header), IsOk());
  header.width = 19;
  EXPECT_THAT(PixelsOf(jpeg, header), RefusedWith(Reason::kImageUndecodable));
}

TEST(JpegPixelsTest, RefusesWhatLibjpegCannotRead) {
  const ImageHeader header{.format = ImageFormat::kJpeg, .width = 4, .height = 4};
  EXPECT_THAT(PixelsOf("", header), RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(PixelsOf("no JPEG", header), RefusedWith(Reason::kImageUndecodable));
}

}  // namespace
}  // namespace facegate
