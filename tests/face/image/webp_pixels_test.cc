#include "face/image/webp_pixels.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "face/base/check.h"
#include "face/image/decode.h"
#include "face/image/mat_pixels.h"
#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

StatusOr<cv::Mat> Decoded(const std::string& webp) {
  FACEGATE_ASSIGN_OR_RETURN(const ImageHeader header, ParseImageHeader(webp));
  cv::Mat bgr(header.height, header.width, CV_8UC3);
  FACEGATE_RETURN_IF_ERROR(DecodeWebpPixels(webp, header, {}, RowsOf(bgr)));
  return bgr;
}

std::string Lossy() {
  return EncodeImage(".webp", SmoothPicture(24, 17), {cv::IMWRITE_WEBP_QUALITY, 80});
}

// The bytes are so many that they are given to libwebp in several steps.
cv::Mat Noise() {
  cv::Mat noise(240, 320, CV_8UC3);
  cv::RNG random(7);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  return noise;
}

// Knows whether a file is made in a folder while this lives.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : watch_(inotify_init1(IN_NONBLOCK)) {
    FACEGATE_CHECK(inotify_add_watch(watch_, folder.c_str(), IN_CREATE) >= 0);
  }
  ~FolderWatch() { ::close(watch_); }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  bool SawNewFile() const {
    char event[sizeof(inotify_event) + 256];
    return ::read(watch_, event, sizeof(event)) > 0;
  }

 private:
  const int watch_;
};

TEST(WebpPixelsTest, GivesTheSamePixelsAsOpenCv) {
  for (const std::string& webp :
       {Lossy(), EncodeImage(".webp", SmoothPicture(24, 17), {cv::IMWRITE_WEBP_QUALITY, 101}),
        EncodeImage(".webp", Noise(), {cv::IMWRITE_WEBP_QUALITY, 101}),
        EncodeImage(".webp", Noise(), {cv::IMWRITE_WEBP_QUALITY, 98})}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat bgr, Decoded(webp));
    const cv::Mat expected =
        cv::imdecode(std::vector<uint8_t>(webp.begin(), webp.end()), cv::IMREAD_COLOR);
    ASSERT_EQ(bgr.size(), expected.size());
    ASSERT_EQ(bgr.type(), expected.type());
    EXPECT_EQ(cv::norm(bgr, expected, cv::NORM_INF), 0.0);
  }
}

TEST(WebpPixelsTest, CountsTheMemoryOfAnAlphaChunkThatNoFlagAnnounces) {
  cv::Mat bgra(64, 48, CV_8UC4, cv::Scalar(10, 200, 90, 128));
  std::string webp = EncodeImage(".webp", bgra, {cv::IMWRITE_WEBP_QUALITY, 80});
  ASSERT_NE(webp.find("ALPH"), std::string::npos);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader announced, ParseImageHeader(webp));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat pixels, Decoded(webp));
  webp[webp.find("VP8X") + 8] = '\0';
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ImageHeader hidden, ParseImageHeader(webp));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat same_pixels, Decoded(webp));
  ASSERT_EQ(cv::norm(pixels, same_pixels, cv::NORM_INF), 0.0) << "libwebp reads the chunk";
  EXPECT_EQ(hidden.decode_bytes, announced.decode_bytes);
}

TEST(WebpPixelsTest, RefusesDamagedData) {
  std::string webp = Lossy();
  const size_t frame = webp.find("\x9d\x01\x2a");
  ASSERT_NE(frame, std::string::npos);
  // Cuts the data of the frame short, and makes the lengths agree with that.
  webp.resize(frame + 12);
  webp[4] = static_cast<char>(webp.size() - 8);
  webp[16] = static_cast<char>(webp.size() - 20);
  webp[5] = webp[17] = '\0';
  EXPECT_THAT(Decoded(webp), RefusedWith(Reason::kImageUndecodable));
}

// A WebP whose first chunk is an unknown one: libwebp takes it for no WebP. Where the letters of a
// DICOM file stood at its place, OpenCV wrote the picture to a temporary file for that decoder.
TEST(WebpPixelsTest, LeavesNoFileOfAPictureThatLibwebpDoesNotKnow) {
  const TempDir folder;
  ASSERT_EQ(::setenv("OPENCV_TEMP_PATH", folder.path().c_str(), 1), 0);
  const FolderWatch watch(folder.path().string());
  constexpr size_t kRiffHeader = 12;
  constexpr size_t kDicomLetters = 128;
  std::string chunk = std::string("JUNK") + "\x80" + std::string(3, '\0') + std::string(128, ' ');
  chunk.replace(kDicomLetters - kRiffHeader, 4, "DICM");
  std::string webp = Lossy().insert(kRiffHeader, chunk);
  const auto riff_bytes = static_cast<uint32_t>(webp.size() - 8);
  for (size_t i = 0; i < 4; ++i) webp[4 + i] = static_cast<char>(riff_bytes >> (8 * i));
  ASSERT_THAT(ParseImageHeader(webp), IsOk());
  EXPECT_THAT(DecodeImage(webp, {}), RefusedWith(Reason::kImageUndecodable));
  EXPECT_FALSE(watch.SawNewFile());
  ::unsetenv("OPENCV_TEMP_PATH");
}

}  // namespace
}  // namespace facegate
