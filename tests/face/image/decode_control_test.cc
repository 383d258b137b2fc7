// Whoever waits for a picture has a say while it is decoded: time, memory, work.
#include <gmock/gmock.h>

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <utility>
#include <vector>

#include "face/image/decode.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// There is a file of each format and each way through its decoder.
std::vector<std::pair<std::string, std::string>> FilesToStop() {
  const cv::Mat picture = SmoothPicture(400, 300);
  cv::Mat bgra(picture.size(), CV_8UC4, cv::Scalar(9, 99, 199, 99));
  const std::string progressive =
      EncodeImage(".jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1, cv::IMWRITE_JPEG_QUALITY, 90});
  return {
      {"baseline JPEG", EncodeImage(".jpg", picture)},
      {"progressive JPEG", progressive},
      {"PNG", EncodeImage(".png", picture)},
      {"transparent PNG", EncodeImage(".png", bgra)},
      {"lossy WebP", EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 90})},
      {"transparent WebP", EncodeImage(".webp", bgra, {cv::IMWRITE_WEBP_QUALITY, 101})},
      {"BMP", EncodeImage(".bmp", picture)},
      {"32-bit BMP", EncodeImage(".bmp", bgra)},
      {"binary PPM", EncodeImage(".ppm", picture)},
      {"turned JPEG", JpegWithExif(EncodeImage(".jpg", picture), TiffBlock(6, true))},
  };
}

int AsksWhile(const std::string& file) {
  int asks = 0;
  const DecodeControl control{.stop =
                                  [&] {
                                    ++asks;
                                    return OkStatus();
                                  },
                              .reserve = {}};
  EXPECT_THAT(DecodeImage(file, {}, control), IsOk());
  return asks;
}

TEST(DecodeControlTest, EndsEachDecodingAtWhateverQuestionIsDenied) {
  for (const auto& [name, file] : FilesToStop()) {
    const int asks = AsksWhile(file);
    EXPECT_GE(asks, 1) << name;
    for (int denied = 1; denied <= asks; denied += 1 + asks / 20) {
      int asked = 0;
      const DecodeControl control{
          .stop = [&] { return ++asked == denied ? Unavailable("no longer wanted") : OkStatus(); },
          .reserve = {}};
      const auto image = DecodeImage(file, {}, control);
      ASSERT_THAT(image, StatusIs(StatusCode::kUnavailable)) << name;
      EXPECT_EQ(MessageOf(image.status()), "no longer wanted");
      EXPECT_EQ(asked, denied) << name << ": work went on";
    }
  }
}

// The first scan of a progressive JPEG once more, `times` times: what it says stays the same.
std::string WithRepeatedScan(std::string jpeg, int times) {
  const size_t first = jpeg.find("\xff\xda");
  const size_t end = jpeg.find("\xff\xc4", first);
  const std::string scan = jpeg.substr(first, end - first);
  for (int i = 0; i < times; ++i) jpeg.insert(end, scan);
  return jpeg;
}

TEST(DecodeControlTest, AsksInEachRowOfBlocksOfEachScan) {
  const std::string jpeg = WithRepeatedScan(
      EncodeImage(".jpg", SmoothPicture(640, 480), {cv::IMWRITE_JPEG_PROGRESSIVE, 1}), 40);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader header, ParseImageHeader(jpeg));
  ASSERT_GE(header.passes, 46);
  EXPECT_GE(AsksWhile(jpeg), header.passes * 480 / 16);
}

uint64_t ReservedFor(const std::string& file) {
  uint64_t reserved = 0;
  int calls = 0;
  const DecodeControl control{.stop = {}, .reserve = [&](uint64_t bytes) {
                                ++calls;
                                reserved = bytes;
                                return OkStatus();
                              }};
  EXPECT_THAT(DecodeImage(file, {}, control), IsOk());
  EXPECT_EQ(calls, 1);
  return reserved;
}

TEST(DecodeControlTest, ReservesForWhatTheDecoderHoldsBesideThePicture) {
  constexpr uint64_t kPixels = 800 * 600;
  const cv::Mat picture = SmoothPicture(800, 600);
  const std::string plain = EncodeImage(".jpg", picture);
  // A coefficient is two bytes; OpenCV's encoder keeps a quarter of the colour samples.
  const std::string progressive = EncodeImage(".jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const cv::Mat bgra(picture.size(), CV_8UC4, cv::Scalar(9, 99, 199, 99));
  const std::vector<std::pair<std::string, uint64_t>> files = {
      {plain, 3 * kPixels},
      {JpegWithExif(plain, TiffBlock(6, true)), 6 * kPixels},
      {progressive, 6 * kPixels},
      {EncodeImage(".png", picture), 3 * kPixels},
      {EncodeImage(".bmp", picture), 3 * kPixels},
      {EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 80}), 3 * kPixels},
      {EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 101}), 7 * kPixels},
      {EncodeImage(".webp", bgra, {cv::IMWRITE_WEBP_QUALITY, 101}), 8 * kPixels},
  };
  for (size_t i = 0; i < files.size(); ++i) {
    const uint64_t reserved = ReservedFor(files[i].first);
    EXPECT_GE(reserved, files[i].second) << i;
    EXPECT_LE(reserved, files[i].second + kPixels + (512 << 10)) << i;
  }
}

TEST(DecodeControlTest, DecodesNothingThatMemoryIsDeniedFor) {
  for (const auto& [name, file] : FilesToStop()) {
    int asks = 0;
    const DecodeControl control{
        .stop =
            [&] {
              ++asks;
              return OkStatus();
            },
        .reserve = [](uint64_t) { return Refuse(Reason::kQueueFull, "no memory is left"); }};
    EXPECT_THAT(DecodeImage(file, {}, control), RefusedWith(Reason::kQueueFull)) << name;
    EXPECT_EQ(asks, 0) << name;
  }
}

TEST(DecodeControlTest, RefusesAJpegWhoseScansGoOverTooManyPixels) {
  const DecodeLimits limits{.max_pixels = 100'000};
  const std::string jpeg =
      EncodeImage(".jpg", SmoothPicture(400, 250), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  EXPECT_THAT(DecodeImage(jpeg, limits), IsOk()) << "the largest picture in ten scans";
  const auto image = DecodeImage(WithRepeatedScan(jpeg, 20), limits);
  ASSERT_THAT(image, RefusedWith(Reason::kImageTooLarge));
  EXPECT_THAT(MessageOf(image.status()),
              HasSubstr("the JPEG is 400x250 pixels in 30 scans, which is 3000000 pixels to go "
                        "over, the limit is 2000000"));
  // A small one may have them.
  EXPECT_THAT(DecodeImage(WithRepeatedScan(jpeg, 20), {}), IsOk());
}

}  // namespace
}  // namespace facegate
