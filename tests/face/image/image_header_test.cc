#include "face/image/image_header.h"

#include <gmock/gmock.h>

#include <initializer_list>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <string_view>

#include "face/base/coding.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) joined.append(part);
  return joined;
}

// 40 bytes of BITMAPINFOHEADER after the file header, and one byte of "pixels".
std::string BmpHeader(uint32_t width, uint32_t height, uint16_t bits, uint32_t compression,
                      uint32_t colours) {
  std::string bmp = "BM";
  AppendLittleEndian<uint32_t>(bmp, 0);
  AppendLittleEndian<uint32_t>(bmp, 0);
  AppendLittleEndian<uint32_t>(bmp, 54);
  AppendLittleEndian<uint32_t>(bmp, 40);
  AppendLittleEndian(bmp, width);
  AppendLittleEndian(bmp, height);
  AppendLittleEndian<uint16_t>(bmp, 1);
  AppendLittleEndian(bmp, bits);
  AppendLittleEndian(bmp, compression);
  for (int i = 0; i < 3; ++i) AppendLittleEndian<uint32_t>(bmp, 0);
  AppendLittleEndian(bmp, colours);
  AppendLittleEndian<uint32_t>(bmp, 0);
  return bmp;
}

void ExpectHeader(const std::string& encoded, ImageFormat format) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header, ParseImageHeader(encoded));
  EXPECT_EQ(header.format, format);
  EXPECT_EQ(header.width, 37);
  EXPECT_EQ(header.height, 21);
  EXPECT_EQ(header.orientation, 1);
}

TEST(ImageHeaderTest, ReadsFormatAndSizeOfEachFormat) {
  const cv::Mat picture = SmoothPicture(37, 21);
  ExpectHeader(EncodeImage(".jpg", picture), ImageFormat::kJpeg);
  ExpectHeader(EncodeImage(".jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1}), ImageFormat::kJpeg);
  ExpectHeader(EncodeImage(".png", picture), ImageFormat::kPng);
  ExpectHeader(EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 80}), ImageFormat::kWebp);
  ExpectHeader(EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 101}), ImageFormat::kWebp);
  ExpectHeader(EncodeImage(".bmp", picture), ImageFormat::kBmp);
  ExpectHeader(EncodeImage(".ppm", picture), ImageFormat::kPgm);
}

TEST(ImageHeaderTest, ReadsTheOrientationOfJpegPngAndWebp) {
  const cv::Mat picture = SmoothPicture(37, 21);
  for (const bool big_endian : {false, true}) {
    const std::string tiff = TiffBlock(6, big_endian);
    const std::string webp = EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 80});
    for (const std::string& encoded :
         {JpegWithExif(EncodeImage(".jpg", picture), tiff),
          PngWithExif(EncodeImage(".png", picture), tiff), WebpWithExif(webp, tiff, {37, 21})}) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header, ParseImageHeader(encoded));
      EXPECT_EQ(header.orientation, 6) << Name(header.format);
      EXPECT_EQ(header.width, 37) << "the size is that of the stored picture";
    }
  }
}

TEST(ImageHeaderTest, TakesTheFirstExifSegmentAndIgnoresOtherApplicationData) {
  const std::string jpeg = EncodeImage(".jpg", SmoothPicture(37, 21));
  const std::string twice =
      JpegWithExif(JpegWithExif(jpeg, TiffBlock(3, true)), TiffBlock(8, true));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header, ParseImageHeader(twice));
  EXPECT_EQ(header.orientation, 8);
}

TEST(ImageHeaderTest, RefusesWhatIsNoneOfTheFormats) {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("GIF89a............"), std::string(64, '\0'),
        std::string("P5"), std::string("P1\n1 1\n1"), std::string("RIFF....WAVE"),
        std::string("\xff\xd8")}) {
    EXPECT_THAT(ParseImageHeader(bytes), RefusedWith(Reason::kImageUndecodable)) << bytes.size();
  }
}

TEST(ImageHeaderTest, NamesWhatWasSentInstead) {
  const auto gif = ParseImageHeader("GIF89a............");
  EXPECT_EQ(MessageOf(gif.status()),
            "this is a GIF, which is not among the formats that are taken: JPEG, PNG, WebP, BMP, "
            "PGM, PPM");
  EXPECT_THAT(MessageOf(ParseImageHeader("data:image/png;base64,iVBORw0KGgo").status()),
              HasSubstr("this is a data URI (send the bytes that it stands for)"));
  EXPECT_EQ(MessageOf(ParseImageHeader("").status()), "the image is empty (0 bytes)");
}

TEST(ImageHeaderTest, AllowsBytesAfterTheEndOfAPicture) {
  const cv::Mat picture = SmoothPicture(37, 21);
  for (const char* extension : {".jpg", ".png", ".webp", ".bmp", ".ppm"}) {
    EXPECT_THAT(ParseImageHeader(EncodeImage(extension, picture) + "trailer"), IsOk()) << extension;
  }
}

TEST(JpegHeaderTest, RefusesMoreScansThanAnyEncoderWrites) {
  const std::string jpeg =
      EncodeImage(".jpg", SmoothPicture(37, 21), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const size_t last_scan = jpeg.rfind("\xff\xda");
  const size_t end = jpeg.size() - 2;
  ASSERT_NE(last_scan, std::string::npos);
  std::string bomb = jpeg.substr(0, end);
  for (int i = 0; i < 100; ++i) bomb.append(jpeg, last_scan, end - last_scan);
  bomb.append("\xff\xd9");
  const auto header = ParseImageHeader(bomb);
  ASSERT_THAT(header, RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(MessageOf(header.status()), HasSubstr("more than 100 scans"));
}

TEST(JpegHeaderTest, RefusesBrokenMarkers) {
  const std::string start = Bytes({0xff, 0xd8});
  const std::string frame = Bytes({0xff, 0xc0, 0, 11, 8, 0, 2, 0, 3, 1, 1, 0x11, 0});
  const std::string scan = Bytes({0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0x34});
  const std::string end = Bytes({0xff, 0xd9});
  ASSERT_THAT(ParseImageHeader(start + frame + scan + end), IsOk());
  const std::string empty_frame = Bytes({0xff, 0xc0, 0, 11, 8, 0, 0, 0, 3, 1, 1, 0x11, 0});
  const std::string two_channels =
      Bytes({0xff, 0xc0, 0, 14, 8, 0, 2, 0, 3, 2, 1, 0x11, 0, 2, 0x11, 0});
  const std::string deep_frame = Bytes({0xff, 0xc1, 0, 11, 12, 0, 2, 0, 3, 1, 1, 0x11, 0});
  for (const std::string& broken :
       {Join({start, scan, end}), Join({start, frame, end}), Join({start, frame, frame, scan, end}),
        Join({start, frame, start, scan, end}), Join({start, empty_frame, scan, end}),
        Join({start, deep_frame, scan, end}),
        Join({start, Bytes({0xff, 0xe0, 0, 1}), frame, scan, end}),
        Join({start, Bytes({0xff, 0xe0, 0xff, 0xff}), frame, scan, end}),
        Join({start, two_channels, scan, end}), Join({start, frame})}) {
    EXPECT_THAT(ParseImageHeader(broken), RefusedWith(Reason::kImageUndecodable));
  }
}

TEST(JpegHeaderTest, LooksForNoEndMarkerInsideEntropyCodedDataOrSegments) {
  const std::string start = Bytes({0xff, 0xd8, 0xff, 0xe5, 0, 4, 0xff, 0xd9});
  const std::string frame = Bytes({0xff, 0xc0, 0, 11, 8, 0, 2, 0, 3, 1, 1, 0x11, 0});
  const std::string scan =
      Bytes({0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0xff, 0, 0xd9, 0xff, 0xd0, 0x12, 0xff, 0xff});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header,
                                ParseImageHeader(start + frame + scan + Bytes({0xd9})));
  EXPECT_EQ(header.width, 3);
  EXPECT_EQ(header.height, 2);
  EXPECT_TRUE(header.has_end_marker);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader endless, ParseImageHeader(start + frame + scan));
  EXPECT_FALSE(endless.has_end_marker);
}

TEST(JpegHeaderTest, EndsAPictureWithoutEndMarkerWhereItsScansEnd) {
  const std::string jpeg = EncodeImage(".jpg", SmoothPicture(37, 21));
  const std::string cut = jpeg.substr(0, jpeg.size() - 2);
  for (const std::string& rest :
       {std::string(), jpeg, Bytes({0xff, 0xe5, 0, 9, 1}), Bytes({0xff, 0xe5, 0, 3, 1})}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header, ParseImageHeader(cut + rest));
    EXPECT_FALSE(header.has_end_marker);
    EXPECT_EQ(header.picture_bytes, cut.size());
  }
}

TEST(PngHeaderTest, RefusesBrokenChunks) {
  const std::string signature("\x89PNG\r\n\x1a\n");
  const std::string header = PngHeaderChunk(2, 2, 8, 0);
  const std::string data = PngChunk("IDAT", "x");
  const std::string end = PngChunk("IEND", "");
  ASSERT_THAT(ParseImageHeader(signature + header + data + end), IsOk());
  std::string oversize = PngChunk("tEXt", "abc");
  oversize.replace(0, 4, "\xff\xff\xff\xff");
  for (const std::string& broken :
       {Join({signature}), Join({signature, data, header, end}), Join({signature, header, end}),
        Join({signature, header, header, data, end}),
        Join({signature, header, oversize, data, end}),
        Join({signature, PngHeaderChunk(0, 2, 8, 0), data, end}),
        Join({signature, PngHeaderChunk(2, 0x80000000, 8, 0), data, end}),
        Join({signature, PngChunk("IHDR", "short"), data, end})}) {
    EXPECT_THAT(ParseImageHeader(broken), RefusedWith(Reason::kImageUndecodable));
  }
}

TEST(WebpHeaderTest, RefusesAnimationsAndACanvasOfAnotherSize) {
  const std::string webp =
      EncodeImage(".webp", SmoothPicture(37, 21), {cv::IMWRITE_WEBP_QUALITY, 80});
  std::string extended = WebpWithExif(webp, TiffBlock(1, true), {37, 21});
  ASSERT_THAT(ParseImageHeader(extended), IsOk());
  EXPECT_THAT(ParseImageHeader(WebpWithExif(webp, TiffBlock(1, true), {38, 21})),
              RefusedWith(Reason::kImageUndecodable));
  extended[20] |= 0x02;
  const auto animation = ParseImageHeader(extended);
  ASSERT_THAT(animation, RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(MessageOf(animation.status()), HasSubstr("animation"));
}

TEST(BmpHeaderTest, ChecksTheFieldsBeforeAnythingIsRead) {
  const std::string pixels(64, '\x7f');
  const auto refused = RefusedWith(Reason::kImageUndecodable);
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 4, 24, 0, 0) + pixels), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const ImageHeader top_down,
      ParseImageHeader(BmpHeader(4, static_cast<uint32_t>(-4), 24, 0, 0) + pixels));
  EXPECT_EQ(top_down.height, 4);
  EXPECT_THAT(ParseImageHeader(BmpHeader(0, 4, 24, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 0, 24, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(0x80000000, 4, 24, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 0x80000000, 24, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(0x7fffffff, 0x7fffffff, 32, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 4, 25, 0, 0) + pixels), refused);
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 4, 8, 1, 0) + pixels), refused) << "run-length coded";
  EXPECT_THAT(ParseImageHeader(BmpHeader(4, 4, 8, 0, 257) + pixels), refused) << "palette";
  EXPECT_THAT(ParseImageHeader(BmpHeader(5, 5, 24, 0, 0) + pixels), refused) << "too few rows";
}

}  // namespace
}  // namespace facegate
