// HEIC and AVIF, 96 by 64 pixels: the left half red, the right half green, the lowest quarter blue.
#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <string>

#include "face/base/file.h"
#include "face/image/decode.h"
#include "face/image/heif_library.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

#define FACEGATE_LIBHEIF_OR_SKIP()                                                \
  if (const Status heif_library = OpenHeifLibrary().status(); !heif_library.ok()) \
  GTEST_SKIP() << MessageOf(heif_library)

constexpr DecodeLimits kWithHeif{.heif = true};

std::string HeifFile(const std::string& name) {
  const auto bytes =
      ReadFile(std::string(FACEGATE_SOURCE_DIR) + "/tests/fuzz/corpus/heif/" + name, 1 << 20);
  EXPECT_THAT(bytes, IsOk());
  return *bytes;
}

void ExpectColour(const Image& image, int x, int y, const cv::Vec3b& bgr) {
  EXPECT_LT(cv::norm(cv::Vec3i(image.bgr.at<cv::Vec3b>(y, x)) - cv::Vec3i(bgr), cv::NORM_INF), 25)
      << image.bgr.at<cv::Vec3b>(y, x) << " at " << x << ", " << y;
}

TEST(HeifPictureTest, IsRefusedByNameUnlessItIsAllowed) {
  const auto heic = DecodeImage(HeifFile("heic"), {});
  ASSERT_THAT(heic, RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(MessageOf(heic.status()), HasSubstr("a HEIC picture, which is not among"));
  EXPECT_THAT(MessageOf(DecodeImage(HeifFile("avif"), {}).status()), HasSubstr("an AVIF picture"));
}

TEST(HeifPictureTest, GivesItsPixels) {
  FACEGATE_LIBHEIF_OR_SKIP();
  for (const char* name : {"heic", "avif"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(HeifFile(name), kWithHeif));
    ASSERT_EQ(image.bgr.size(), cv::Size(96, 64)) << name;
    ExpectColour(image, 10, 10, {20, 20, 200});
    ExpectColour(image, 80, 10, {20, 200, 20});
    ExpectColour(image, 50, 60, {200, 20, 20});
  }
}

TEST(HeifPictureTest, LaysTransparencyOnWhite) {
  FACEGATE_LIBHEIF_OR_SKIP();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image,
                                DecodeImage(HeifFile("heic_transparent"), kWithHeif));
  ExpectColour(image, 10, 10, {255, 255, 255});
  ExpectColour(image, 80, 10, {20, 200, 20});
}

// Its box says a quarter turn, and its EXIF block says so again.
TEST(HeifPictureTest, IsTurnedOnce) {
  FACEGATE_LIBHEIF_OR_SKIP();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(HeifFile("heic_turned"), kWithHeif));
  ASSERT_EQ(image.bgr.size(), cv::Size(64, 96));
  // Clockwise: what was below is at the left, what was left is above.
  ExpectColour(image, 4, 50, {200, 20, 20});
  ExpectColour(image, 40, 10, {20, 20, 200});
  ExpectColour(image, 40, 85, {20, 200, 20});
}

TEST(HeifPictureTest, KeepsToTheLimits) {
  FACEGATE_LIBHEIF_OR_SKIP();
  const std::string heic = HeifFile("heic");
  EXPECT_THAT(DecodeImage(heic, {.max_pixels = 6143, .heif = true}),
              RefusedWith(Reason::kImageTooLarge));
  EXPECT_THAT(DecodeImage(heic, {.max_bytes = heic.size() - 1, .heif = true}),
              RefusedWith(Reason::kImageTooLarge));
  EXPECT_FALSE(DecodeImage(heic, {.max_side = 95, .heif = true}).ok());
  uint64_t reserved = 0;
  const DecodeControl control{.stop = {}, .reserve = [&](uint64_t bytes) {
                                reserved = bytes;
                                return Unavailable("no memory");
                              }};
  EXPECT_THAT(DecodeImage(heic, kWithHeif, control), StatusIs(StatusCode::kUnavailable));
  EXPECT_GE(reserved, 6144U * 10);
}

TEST(HeifPictureTest, RefusesTruncatedFiles) {
  FACEGATE_LIBHEIF_OR_SKIP();
  for (const char* name : {"heic", "avif", "heic_transparent"}) {
    const std::string file = HeifFile(name);
    for (size_t size = 16; size < file.size() * 9 / 10; size += 13) {
      EXPECT_FALSE(DecodeImage(file.substr(0, size), kWithHeif).ok()) << name << " " << size;
    }
  }
}

}  // namespace
}  // namespace facegate
