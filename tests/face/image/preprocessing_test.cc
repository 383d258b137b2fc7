#include "face/image/preprocessing.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "tests/support/encoded_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr int kSide = 112;

Preprocessing LetterboxedSphereFace() {
  Preprocessing preprocessing;
  preprocessing.alignment = AlignmentTemplate::kSphereFace96x112;
  preprocessing.letterbox = true;
  return preprocessing;
}

std::vector<float> InputOf(const cv::Mat& crop, const Preprocessing& preprocessing, bool mirrored) {
  std::vector<float> input(preprocessing.input_floats(), -99.0f);
  EXPECT_THAT(WriteNetworkInput({crop}, preprocessing, mirrored, input), IsOk());
  return input;
}

float At(const std::vector<float>& input, int channel, int y, int x) {
  const size_t row = static_cast<size_t>(channel) * kSide + static_cast<size_t>(y);
  return input[row * kSide + static_cast<size_t>(x)];
}

TEST(PreprocessingTest, WritesPlanesOfScaledRgb) {
  const cv::Mat crop = SmoothPicture(kSide, kSide);
  const std::vector<float> input = InputOf(crop, {}, false);
  ASSERT_EQ(input.size(), 3U * kSide * kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const cv::Vec3b& pixel = crop.at<cv::Vec3b>(y, x);
      for (int channel = 0; channel < 3; ++channel) {
        const float expected = (static_cast<float>(pixel[2 - channel]) - 127.5f) / 127.5f;
        ASSERT_NEAR(At(input, channel, y, x), expected, 1e-6) << channel << " " << y << " " << x;
      }
    }
  }
}

TEST(PreprocessingTest, KeepsBgrAndTakesMeanAndScaleOfEachChannel) {
  Preprocessing preprocessing;
  preprocessing.colour_order = ColourOrder::kBgr;
  preprocessing.mean = {10, 20, 30};
  preprocessing.scale = {1, 0.5f, 0.25f};
  const cv::Mat crop(kSide, kSide, CV_8UC3, cv::Scalar(11, 24, 38));
  const std::vector<float> input = InputOf(crop, preprocessing, false);
  for (int channel = 0; channel < 3; ++channel) {
    EXPECT_FLOAT_EQ(At(input, channel, 5, 100), static_cast<float>(channel == 0 ? 1 : 2))
        << channel;
  }
}

TEST(PreprocessingTest, PadsTheSphereFaceCropWithEightColumnsOfGreyAtEachSide) {
  const cv::Mat crop = SmoothPicture(96, kSide);
  const std::vector<float> input = InputOf(crop, LetterboxedSphereFace(), false);
  const float grey = (128 - 127.5f) / 127.5f;
  for (int channel = 0; channel < 3; ++channel) {
    for (const int y : {0, 60, 111}) {
      for (int x = 0; x < 8; ++x) {
        EXPECT_FLOAT_EQ(At(input, channel, y, x), grey);
        EXPECT_FLOAT_EQ(At(input, channel, y, 111 - x), grey);
      }
      for (const int x : {0, 1, 50, 95}) {
        const float pixel = crop.at<cv::Vec3b>(y, x)[2 - channel];
        EXPECT_NEAR(At(input, channel, y, x + 8), (pixel - 127.5f) / 127.5f, 1e-6);
      }
    }
  }
}

TEST(PreprocessingTest, MirrorsLeftAndRight) {
  for (const Preprocessing& preprocessing : {Preprocessing(), LetterboxedSphereFace()}) {
    const cv::Mat crop = SmoothPicture(CropSize(preprocessing.alignment).width, kSide);
    const std::vector<float> plain = InputOf(crop, preprocessing, false);
    const std::vector<float> mirrored = InputOf(crop, preprocessing, true);
    for (int channel = 0; channel < 3; ++channel) {
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          ASSERT_EQ(At(mirrored, channel, y, x), At(plain, channel, y, kSide - 1 - x));
        }
      }
    }
    cv::Mat flipped;
    cv::flip(crop, flipped, 1);
    EXPECT_EQ(mirrored, InputOf(flipped, preprocessing, false));
  }
}

TEST(PreprocessingTest, ScalesToFitWithTheAspectKept) {
  Preprocessing preprocessing = LetterboxedSphereFace();
  preprocessing.input_width = 56;
  preprocessing.input_height = 56;
  const cv::Mat crop(112, 96, CV_8UC3, cv::Scalar::all(200));
  const std::vector<float> input = InputOf(crop, preprocessing, false);
  ASSERT_EQ(input.size(), 3U * 56 * 56);
  for (int x = 0; x < 56; ++x) {
    const float expected = x < 4 || x >= 52 ? 128 : 200;
    EXPECT_NEAR(input[static_cast<size_t>(30 * 56 + x)], (expected - 127.5f) / 127.5f, 1e-6) << x;
  }
}

TEST(PreprocessingTest, RefusesACropOfAnotherSizeOrKind) {
  std::vector<float> input(Preprocessing().input_floats());
  const auto refused = RefusedWith(Reason::kCropSize);
  EXPECT_THAT(WriteNetworkInput({SmoothPicture(96, 112)}, {}, false, input), refused);
  EXPECT_THAT(WriteNetworkInput({SmoothPicture(112, 111)}, {}, false, input), refused);
  EXPECT_THAT(WriteNetworkInput({cv::Mat()}, {}, false, input), refused);
  EXPECT_THAT(WriteNetworkInput({cv::Mat::zeros(112, 112, CV_8UC1)}, {}, false, input), refused);
  Preprocessing no_letterbox = LetterboxedSphereFace();
  no_letterbox.letterbox = false;
  EXPECT_THAT(WriteNetworkInput({SmoothPicture(96, 112)}, no_letterbox, false, input), refused);
}

TEST(PreprocessingTest, RefusesABufferOfAnotherLength) {
  std::vector<float> input(Preprocessing().input_floats() - 1);
  EXPECT_THAT(WriteNetworkInput({SmoothPicture(112, 112)}, {}, false, input),
              StatusIs(StatusCode::kInternal));
}

}  // namespace
}  // namespace facegate
