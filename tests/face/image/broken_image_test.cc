// Broken and hostile files: whatever the bytes, DecodeImage refuses them or gives a picture within
// the limits.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <zlib.h>

#include <opencv2/imgcodecs.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "face/image/decode.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr DecodeLimits kSmall{.max_bytes = 1 << 20, .max_pixels = 100'000};

std::vector<std::pair<std::string, std::string>> SmallFiles() {
  const cv::Mat picture = SmoothPicture(17, 11);
  const std::string tiff = TiffBlock(6, false);
  const std::string lossy = EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 70});
  return {
      {"baseline JPEG", JpegWithExif(EncodeImage(".jpg", picture), tiff)},
      {"progressive JPEG", EncodeImage(".jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"PNG", PngWithExif(EncodeImage(".png", picture), tiff)},
      {"lossy WebP", lossy},
      {"lossless WebP", EncodeImage(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 101})},
      {"extended WebP", WebpWithExif(lossy, tiff, picture.size())},
      {"BMP", EncodeImage(".bmp", picture)},
      {"binary PPM", EncodeImage(".ppm", picture)},
      {"text PPM", EncodeImage(".ppm", picture, {cv::IMWRITE_PXM_BINARY, 0})},
  };
}

// Every outcome that a broken file may have.
void ExpectRefusedOrSound(const std::string& bytes, const std::string& what) {
  const auto image = DecodeImage(bytes, kSmall);
  if (!image.ok()) {
    EXPECT_THAT(image,
                AnyOf(RefusedWith(Reason::kImageUndecodable), RefusedWith(Reason::kImageTooLarge)))
        << what;
    return;
  }
  EXPECT_EQ(image->bgr.type(), CV_8UC3) << what;
  EXPECT_GT(image->bgr.total(), 0U) << what;
  EXPECT_LE(image->bgr.total(), kSmall.max_pixels) << what;
}

TEST(BrokenImageTest, RefusesEveryTruncation) {
  for (const auto& [name, file] : SmallFiles()) {
    ASSERT_THAT(DecodeImage(file, kSmall), IsOk()) << name;
    // A text map may lose the white space at its end and all but one digit of its last sample, a
    // JPEG its end marker.
    const size_t spared = name == "text PPM" ? 5 : name.ends_with("JPEG") ? 2 : 0;
    for (size_t size = 0; size + spared < file.size(); ++size) {
      EXPECT_THAT(DecodeImage(file.substr(0, size), kSmall), RefusedWith(Reason::kImageUndecodable))
          << name << " cut to " << size << " of " << file.size() << " bytes";
    }
  }
}

TEST(BrokenImageTest, SurvivesEveryFlippedBit) {
  for (const auto& [name, file] : SmallFiles()) {
    for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
      std::string broken = file;
      broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
      ExpectRefusedOrSound(broken, name + ", bit " + std::to_string(bit));
    }
  }
}

TEST(BrokenImageTest, SurvivesBytesOverwrittenAtRandom) {
  std::mt19937 random(20240501);
  for (const auto& [name, file] : SmallFiles()) {
    for (int round = 0; round < 500; ++round) {
      std::string broken = file;
      for (int i = 0; i < 8; ++i) broken[random() % broken.size()] = static_cast<char>(random());
      ExpectRefusedOrSound(broken, name + ", round " + std::to_string(round));
    }
  }
}

TEST(BrokenImageTest, RefusesAJpegThatIsCutAndGivenAnEndMarker) {
  const cv::Mat picture = SmoothPicture(96, 96);
  for (const int progressive : {0, 1}) {
    const std::string jpeg = EncodeImage(
        ".jpg", picture, {cv::IMWRITE_JPEG_QUALITY, 98, cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
    const size_t first_scan = jpeg.find("\xff\xda");
    ASSERT_NE(first_scan, std::string::npos);
    for (const double share : {0.1, 0.3, 0.5, 0.7}) {
      const auto kept = first_scan + 14 +
                        static_cast<size_t>(share * static_cast<double>(jpeg.size() - first_scan));
      std::string cut = jpeg.substr(0, kept);
      while (cut.back() == '\xff') cut.pop_back();
      // A progressive file that is cut between two scans is whole, only coarser.
      const bool between_scans = progressive == 1;
      const auto image = DecodeImage(cut + "\xff\xd9", kSmall);
      if (!between_scans) {
        EXPECT_THAT(image, RefusedWith(Reason::kImageUndecodable)) << share;
      } else {
        ExpectRefusedOrSound(cut + "\xff\xd9", "progressive");
      }
    }
  }
}

TEST(BrokenImageTest, RefusesAJpegWithDamagedData) {
  const std::string jpeg =
      EncodeImage(".jpg", SmoothPicture(96, 96), {cv::IMWRITE_JPEG_QUALITY, 98});
  const size_t first_scan = jpeg.find("\xff\xda");
  std::string damaged = jpeg;
  const size_t middle = first_scan + (jpeg.size() - first_scan) / 2;
  damaged.erase(middle, 60);
  EXPECT_THAT(DecodeImage(damaged, kSmall), RefusedWith(Reason::kImageUndecodable));
}

// A photo, so that its scans are long, as any encoder and any camera writes it.
std::vector<std::string> JpegsOfEachKind() {
  std::vector<std::string> jpegs;
  for (const int progressive : {0, 1}) {
    for (const int restart : {0, 3}) {
      jpegs.push_back(EncodeImage(".jpg", SmoothPicture(96, 80),
                                  {cv::IMWRITE_JPEG_QUALITY, 90, cv::IMWRITE_JPEG_PROGRESSIVE,
                                   progressive, cv::IMWRITE_JPEG_RST_INTERVAL, restart}));
    }
  }
  return jpegs;
}

TEST(BrokenImageTest, TakesAJpegThatLacksNothingButItsEndMarker) {
  for (const std::string& jpeg : JpegsOfEachKind()) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image whole, DecodeImage(jpeg, kSmall));
    const std::string cut = jpeg.substr(0, jpeg.size() - 2);
    // Nothing follows, half a marker, zeros, what is not a segment, or another picture, as in MPO.
    for (const std::string& rest :
         {std::string(), std::string("\xff"), std::string(9, '\0'), std::string("\xff\xe5\xff\xff"),
          std::string("\xff\x41garbage"), jpeg}) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(cut + rest, kSmall));
      EXPECT_EQ(cv::norm(image.bgr, whole.bgr, cv::NORM_INF), 0.0) << rest.size();
    }
  }
}

TEST(BrokenImageTest, RefusesAJpegWithoutEndMarkerThatLacksDataToo) {
  for (const std::string& jpeg : JpegsOfEachKind()) {
    for (size_t size = jpeg.size() - 3; size > jpeg.size() / 2; size -= 7) {
      const auto image = DecodeImage(jpeg.substr(0, size), kSmall);
      ASSERT_THAT(image, RefusedWith(Reason::kImageUndecodable)) << size << " of " << jpeg.size();
      EXPECT_THAT(MessageOf(image.status()), HasSubstr("truncated"));
    }
  }
}

// A PNG may hold texts that a kilobyte of deflated zeros becomes seven megabytes of (libpng itself
// drops those of more than 8,000,000 bytes).
TEST(BrokenImageTest, DoesNotUnpackTheTextsOfAPng) {
  std::string zeros(7 << 20, '\0');
  uLongf packed_bytes = compressBound(zeros.size());
  std::string packed(packed_bytes, '\0');
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes,
                      reinterpret_cast<const Bytef*>(zeros.data()), zeros.size(), 9),
            Z_OK);
  packed.resize(packed_bytes);
  std::string texts;
  for (int i = 0; i < 60; ++i) {
    texts += PngChunk("zTXt", std::string("Comment\0\0", 9) + packed);
    texts += PngChunk("iTXt", std::string("Comment\0\1\0\0\0", 12) + packed);
  }
  const std::string png = PngOfRows(PngHeaderChunk(2, 1, 8, 0), texts, std::string("\0ab", 3));
  rusage before{};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &before), 0);
  ASSERT_THAT(DecodeImage(png, {}), IsOk());
  rusage after{};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 5 << 10) << "kilobytes";
}

TEST(BrokenImageTest, AcceptsAJpegWithPaddingBeforeItsEndMarker) {
  std::string jpeg = EncodeImage(".jpg", SmoothPicture(96, 96));
  jpeg.insert(jpeg.size() - 2, 5, '\0');
  EXPECT_THAT(DecodeImage(jpeg, kSmall), IsOk()) << "some cameras write it";
}

TEST(BrokenImageTest, RefusesAPngWhoseRowsEndTooEarly) {
  const std::string header = PngHeaderChunk(2, 3, 8, 0);
  const std::string rows("\0ab\0cd\0ef", 9);
  ASSERT_THAT(DecodeImage(PngOfRows(header, "", rows), kSmall), IsOk());
  EXPECT_THAT(DecodeImage(PngOfRows(header, "", rows.substr(0, 6)), kSmall),
              RefusedWith(Reason::kImageUndecodable));
}

TEST(BrokenImageTest, RefusesAPngWithAWrongChecksum) {
  std::string png = EncodeImage(".png", SmoothPicture(17, 11));
  const size_t data = png.find("IDAT");
  ASSERT_NE(data, std::string::npos);
  png[data + 20] = static_cast<char>(png[data + 20] ^ 1);
  EXPECT_THAT(DecodeImage(png, kSmall), RefusedWith(Reason::kImageUndecodable));
}

}  // namespace
}  // namespace facegate
