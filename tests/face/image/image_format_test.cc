#include "face/image/image_format.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/encoded_image.h"

namespace facegate {
namespace {

std::string BoxFile(std::string_view brands) {
  return std::string("\0\0\0\x1c", 4).append("ftyp").append(brands).append(40, '\0');
}

TEST(ImageFormatTest, KnowsWhatIsDecodableByItsFirstBytes) {
  const cv::Mat picture = SmoothPicture(37, 21);
  const std::vector<std::pair<const char*, ImageFormat>> encoders = {
      {".jpg", ImageFormat::kJpeg}, {".png", ImageFormat::kPng}, {".webp", ImageFormat::kWebp},
      {".bmp", ImageFormat::kBmp},  {".ppm", ImageFormat::kPgm},
  };
  for (const auto& [extension, format] : encoders) {
    const std::string file = EncodeImage(extension, picture);
    EXPECT_EQ(SniffImageFormat(file), format) << extension;
    EXPECT_EQ(SniffImageFormat(std::string_view(file).substr(0, kSniffedBytes)), format);
    EXPECT_TRUE(IsDecodable(format)) << extension;
  }
}

TEST(ImageFormatTest, NamesWhatElsePeopleSend) {
  const std::vector<std::pair<std::string, std::string_view>> files = {
      {BoxFile(std::string("heic\0\0\0\0mif1heic", 16)), "HEIC"},
      {BoxFile(std::string("mif1\0\0\0\0mif1heic", 16)), "HEIC"},
      {BoxFile(std::string("avif\0\0\0\0mif1avif", 16)), "AVIF"},
      {BoxFile(std::string("mif1\0\0\0\0mif1avif", 16)), "AVIF"},
      {BoxFile("isom"), "video"},
      {BoxFile("qt  "), "video"},
      {"GIF89a\x10\x02\x10", "GIF"},
      {std::string("II*\0\x08\0\0\0", 8), "TIFF"},
      {std::string("MM\0*\0\0\0\x08", 8), "TIFF"},
      {std::string("\0\0\0\x0cjP  \r\n\x87\n", 12), "JPEG 2000"},
      {std::string("\xff\x4f\xff\x51\0", 5), "JPEG 2000"},
      {"\xff\x0a\xfa\x5f", "JPEG XL"},
      {std::string("\0\0\0\x0cJXL \r\n\x87\n", 12), "JPEG XL"},
      {"%PDF-1.7\n%\xe2\xe3", "PDF"},
      {"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"},
      {"<?xml version=\"1.0\"?>\n<svg width=\"9\">", "SVG"},
      {"\xef\xbb\xbf\n<!DOCTYPE html><html>", "HTML"},
      {"<HTML><HEAD>", "HTML"},
      {"data:image/jpeg;base64,/9j/4AAQ", "data URI"},
      {"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAg", "base64"},
      {"iVBORw0KGgoAAAANSUhEUgAA", "base64"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "Git LFS pointer"},
      {"name,score\nanna,1\n", "text"},
      {"Z\xc3\xbcrich, \xe6\x9d\xb1\xe4\xba\xac", "text"},
      {"BMW is a make of cars", "text"},
      {"P4\n8 1\n\xff", "PBM or PAM"},
      {std::string("PK\x03\x04\x14\0", 6), "ZIP"},
      {"", "empty"},
      {std::string(64, '\0'), "unknown"},
      {std::string("\xff\xd8", 2), "unknown"},
  };
  for (const auto& [bytes, name] : files) {
    const ImageFormat format = SniffImageFormat(bytes);
    EXPECT_EQ(Name(format), name) << bytes;
    EXPECT_FALSE(IsDecodable(format)) << bytes;
  }
}

TEST(ImageFormatTest, TellsPicturesFromOtherFiles) {
  for (const ImageFormat format : {ImageFormat::kJpeg, ImageFormat::kPgm, ImageFormat::kHeic,
                                   ImageFormat::kGif, ImageFormat::kSvg}) {
    EXPECT_TRUE(IsPicture(format)) << Name(format);
  }
  for (const ImageFormat format :
       {ImageFormat::kVideo, ImageFormat::kText, ImageFormat::kEmpty, ImageFormat::kUnknown}) {
    EXPECT_FALSE(IsPicture(format)) << Name(format);
  }
  EXPECT_TRUE(IsHeif(ImageFormat::kHeic));
  EXPECT_TRUE(IsHeif(ImageFormat::kAvif));
  EXPECT_FALSE(IsHeif(ImageFormat::kJpeg));
}

TEST(ImageFormatTest, LooksNoFurtherThanItSays) {
  const std::string text(kSniffedBytes, 'a');
  EXPECT_EQ(SniffImageFormat(text + std::string(9, '\0')), ImageFormat::kText);
}

TEST(ImageFormatTest, HasAnArticleForEachName) {
  for (int i = 0; i <= static_cast<int>(ImageFormat::kUnknown); ++i) {
    const auto format = static_cast<ImageFormat>(i);
    EXPECT_FALSE(Name(format).empty()) << i;
    EXPECT_TRUE(NameWithArticle(format).starts_with("a")) << i;
    // The fall-back is for formats that have no row.
    EXPECT_EQ(Name(format) == "unknown", format == ImageFormat::kUnknown) << i;
  }
}

}  // namespace
}  // namespace facegate
