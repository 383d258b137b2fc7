#include "trainer/inspect/photo_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>
#include <utility>

#include "face/base/coding.h"
#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/image/heif_library.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "trainer/inspect/duplicates.h"

namespace facegate {
namespace {

PhotoFacts FactsOf(const std::string& encoded) {
  const auto facts = FactsOfPhoto(encoded);
  EXPECT_THAT(facts, IsOk());
  return facts.value_or(PhotoFacts{});
}

std::string EncodeJpeg(const cv::Mat& picture, int quality) {
  std::vector<uchar> bytes;
  FACEGATE_CHECK(cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, quality}));
  return {bytes.begin(), bytes.end()};
}

TEST(PhotoFactsTest, KnowsFormatSizeAndBytes) {
  const std::string png = EncodePng(PatternImage(1, {96, 112}));
  const PhotoFacts facts = FactsOf(png);
  EXPECT_EQ(facts.format, ImageFormat::kPng);
  EXPECT_EQ(facts.width, 96);
  EXPECT_EQ(facts.height, 112);
  EXPECT_EQ(facts.bytes, png.size());
  const std::string_view digest(reinterpret_cast<const char*>(facts.sha256.data()), 32);
  EXPECT_EQ(ToHex(digest), Sha256Hex(png));
}

TEST(PhotoFactsTest, KnowsHeicAndAvifWhereLibheifIsInstalled) {
  if (!OpenHeifLibrary().ok()) GTEST_SKIP() << "libheif is not installed";
  for (const auto& [name, format] :
       {std::pair("heic", ImageFormat::kHeic), std::pair("avif", ImageFormat::kAvif)}) {
    const auto bytes =
        ReadFile(std::string(FACEGATE_SOURCE_DIR) + "/tests/fuzz/corpus/heif/" + name, 1 << 20);
    ASSERT_THAT(bytes, IsOk());
    const PhotoFacts facts = FactsOf(*bytes);
    EXPECT_EQ(facts.format, format);
    EXPECT_EQ(facts.width, 96);
  }
}

TEST(PhotoFactsTest, MeansAreOfRedGreenAndBlue) {
  cv::Mat picture(112, 112, CV_8UC3, cv::Scalar(30, 60, 90));
  picture.rowRange(0, 56).setTo(cv::Scalar(10, 20, 70));
  const PhotoFacts facts = FactsOf(EncodePng(picture));
  EXPECT_NEAR(facts.mean[0], 80.0, 1e-9);
  EXPECT_NEAR(facts.mean[1], 40.0, 1e-9);
  EXPECT_NEAR(facts.mean[2], 20.0, 1e-9);
  EXPECT_NEAR(facts.square[0], (90.0 * 90.0 + 70.0 * 70.0) / 2.0, 1e-6);
}

TEST(PhotoFactsTest, TellsGreyFromColour) {
  cv::Mat grey;
  cv::cvtColor(SmoothNoise(1), grey, cv::COLOR_BGR2GRAY);
  cv::Mat expanded;
  cv::cvtColor(grey, expanded, cv::COLOR_GRAY2BGR);
  EXPECT_TRUE(FactsOf(EncodePng(grey)).grey);
  EXPECT_TRUE(FactsOf(EncodeJpeg(expanded, 80)).grey);
  EXPECT_FALSE(FactsOf(EncodePng(SmoothNoise(1))).grey);
}

TEST(PhotoFactsTest, FindsBlueSkin) {
  const cv::Mat skin(112, 112, CV_8UC3, cv::Scalar(110, 140, 200));
  EXPECT_FALSE(FactsOf(EncodePng(skin)).blue_skin);
  cv::Mat swapped;
  cv::cvtColor(skin, swapped, cv::COLOR_BGR2RGB);
  EXPECT_TRUE(FactsOf(EncodePng(swapped)).blue_skin);
}

TEST(PhotoFactsTest, HashOutlivesReencodingScalingAndLight) {
  const cv::Mat picture = SmoothNoise(3);
  const PhotoFacts original = FactsOf(EncodePng(picture));
  cv::Mat larger;
  cv::resize(picture, larger, {200, 200}, 0, 0, cv::INTER_CUBIC);
  const cv::Mat lighter = picture * 0.8 + cv::Scalar::all(20);
  for (const std::string& other :
       {EncodeJpeg(picture, 60), EncodePng(larger), EncodePng(lighter)}) {
    const PhotoFacts facts = FactsOf(other);
    EXPECT_LE(CoarseDistance(original.hash, facts.hash), kNearCoarse);
    EXPECT_LE(FineDistance(original.hash, facts.hash), kNearFine);
    EXPECT_NE(facts.sha256, original.sha256);
  }
  EXPECT_GT(FineDistance(original.hash, FactsOf(EncodePng(SmoothNoise(4))).hash), 80);
}

TEST(PhotoFactsTest, SaysWhyAPhotoCannotBeRead) {
  EXPECT_THAT(FactsOfPhoto("no picture"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(FactsOfPhoto(""), StatusIs(StatusCode::kInvalidArgument));
  const std::string png = EncodePng(SmoothNoise(1));
  EXPECT_THAT(FactsOfPhoto(std::string_view(png).substr(0, png.size() / 2)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(PhotoFactsTest, FlatPicturesHaveNoHashToCompare) {
  EXPECT_TRUE(FactsOf(EncodePng(cv::Mat(112, 112, CV_8UC3, cv::Scalar::all(9)))).flat);
  EXPECT_FALSE(FactsOf(EncodePng(SmoothNoise(1))).flat);
}

}  // namespace
}  // namespace facegate
