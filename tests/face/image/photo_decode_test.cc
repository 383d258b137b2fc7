// Real photos: what libjpeg says about whole files, and the eight orientations of one photo.
#include <gmock/gmock.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/image/decode.h"
#include "tests/support/encoded_image.h"
#include "tests/support/exif_orientation.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

std::vector<std::filesystem::path> Photos(const std::filesystem::path& data, size_t count) {
  std::vector<std::filesystem::path> photos;
  for (const auto& entry : std::filesystem::directory_iterator(data / "lfw" / "photos")) {
    if (!entry.is_directory()) continue;
    for (const auto& photo : std::filesystem::directory_iterator(entry)) photos.push_back(photo);
    if (photos.size() >= count) break;
  }
  std::sort(photos.begin(), photos.end());
  return photos;
}

TEST(PhotoDecodeTest, DecodesRealPhotosLikeOpenCv) {
  FACEGATE_DATA_OR_SKIP(data);
  const auto photos = Photos(data, 200);
  ASSERT_GE(photos.size(), 200U);
  for (const auto& path : photos) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string jpeg, ReadFile(path.string(), 1 << 20));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image, DecodeImage(jpeg, {}));
    const cv::Mat expected = cv::imread(path.string(), cv::IMREAD_COLOR);
    ASSERT_EQ(cv::norm(image.bgr, expected, cv::NORM_INF), 0);
  }
}

TEST(PhotoDecodeTest, EightOrientationsOfAPhotoGiveIdenticalPixels) {
  FACEGATE_DATA_OR_SKIP(data);
  const auto photos = Photos(data, 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string jpeg, ReadFile(photos[0].string(), 1 << 20));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Image upright, DecodeImage(jpeg, {}));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string png = EncodeImage(".png", StoredForOrientation(upright.bgr, orientation));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Image image,
                                  DecodeImage(PngWithExif(png, TiffBlock(orientation, false)), {}));
    ASSERT_EQ(image.bgr.size(), upright.bgr.size());
    EXPECT_EQ(cv::norm(image.bgr, upright.bgr, cv::NORM_INF), 0) << orientation;
  }
}

}  // namespace
}  // namespace facegate
