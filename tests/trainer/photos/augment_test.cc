#include "trainer/photos/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

cv::Mat Picture() {
  cv::Mat picture(112, 112, CV_8UC3);
  for (int y = 0; y < 112; ++y) {
    for (int x = 0; x < 112; ++x) {
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>(2 * x), static_cast<uchar>(2 * y),
                                     static_cast<uchar>(100 + x / 2)};
    }
  }
  return picture;
}

AugmentOptions Nothing() {
  AugmentOptions options;
  options.flip = 0.0;
  return options;
}

cv::Mat Changed(const std::function<void(AugmentOptions&)>& choose, uint64_t seed = 1) {
  AugmentOptions options = Nothing();
  choose(options);
  RandomStream random(seed);
  cv::Mat picture = Picture();
  Augment(options, random, picture);
  EXPECT_EQ(picture.size(), cv::Size(112, 112));
  EXPECT_EQ(picture.type(), CV_8UC3);
  return picture;
}

bool Equal(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF) == 0.0; }

TEST(AugmentTest, DoesNothingWhenAllIsOff) {
  EXPECT_TRUE(Equal(Changed([](AugmentOptions&) {}), Picture()));
}

TEST(AugmentTest, LeavesTheLoadedPictureAlone) {
  const cv::Mat loaded = Picture();
  cv::Mat shared = loaded;
  AugmentOptions options = AdaFaceAugmentation();
  options.erase = 1.0;
  RandomStream random(3);
  Augment(options, random, shared);
  EXPECT_TRUE(Equal(loaded, Picture()));
}

TEST(AugmentTest, FlipsLeftAndRight) {
  cv::Mat expected;
  cv::flip(Picture(), expected, 1);
  EXPECT_TRUE(Equal(Changed([](AugmentOptions& o) { o.flip = 1.0; }), expected));
}

TEST(AugmentTest, EachChangesThePictureAndFollowsFromTheStream) {
  const std::function<void(AugmentOptions&)> choices[] = {[](AugmentOptions& o) { o.crop = 1.0; },
                                                          [](AugmentOptions& o) { o.zero_crop = 1.0; },
                                                          [](AugmentOptions& o) { o.low_resolution = 1.0; },
                                                          [](AugmentOptions& o) { o.photometric = 1.0; },
                                                          [](AugmentOptions& o) { o.grey = 1.0; },
                                                          [](AugmentOptions& o) { o.erase = 1.0; }};
  for (const auto& choose : choices) {
    EXPECT_FALSE(Equal(Changed(choose, 5), Picture()));
    EXPECT_TRUE(Equal(Changed(choose, 5), Changed(choose, 5)));
  }
}

TEST(AugmentTest, ALowerResolutionLosesDetail) {
  cv::Mat noise(112, 112, CV_8UC3);
  cv::RNG(1).fill(noise, cv::RNG::UNIFORM, 0, 256);
  AugmentOptions options = Nothing();
  options.low_resolution = 1.0;
  options.low_resolution_least = 0.2;
  RandomStream random(2);
  cv::Mat changed = noise;
  Augment(options, random, changed);
  const auto detail = [](const cv::Mat& picture) {
    cv::Mat edges;
    cv::Laplacian(picture, edges, CV_64F);
    return cv::norm(edges);
  };
  EXPECT_LT(detail(changed), 0.8 * detail(noise));
}

// The least and the largest factor by which `value` of one colour is multiplied in 200 pictures.
std::pair<double, double> Factors(const AugmentOptions& options,
                                  const std::function<double(const cv::Vec3b&)>& value) {
  const cv::Mat colour(112, 112, CV_8UC3, cv::Scalar(60, 100, 160));
  std::pair<double, double> ends{HUGE_VAL, -HUGE_VAL};
  for (uint64_t seed = 0; seed < 200; ++seed) {
    RandomStream random(seed);
    cv::Mat changed = colour.clone();
    Augment(options, random, changed);
    const double factor =
        value(changed.at<cv::Vec3b>(50, 50)) / value(colour.at<cv::Vec3b>(50, 50));
    ends = {std::min(ends.first, factor), std::max(ends.second, factor)};
  }
  return ends;
}

double RedAboveBlue(const cv::Vec3b& pixel) { return pixel[2] - pixel[0]; }
double Lightness(const cv::Vec3b& pixel) {
  return 0.299 * pixel[2] + 0.587 * pixel[1] + 0.114 * pixel[0];
}

TEST(AugmentTest, SaturationIsAFactorOfColoursAlone) {
  AugmentOptions options = Nothing();
  options.photometric = 1.0;
  options.brightness = 0.0;
  options.contrast = 0.0;
  options.saturation = 0.4;
  const auto colours = Factors(options, RedAboveBlue);
  EXPECT_NEAR(colours.first, 0.6, 0.02);
  EXPECT_NEAR(colours.second, 1.4, 0.02);
  const auto light = Factors(options, Lightness);
  EXPECT_NEAR(light.first, 1.0, 0.02);
  EXPECT_NEAR(light.second, 1.0, 0.02);
}

TEST(AugmentTest, BrightnessIsAFactorOfAll) {
  AugmentOptions options = Nothing();
  options.photometric = 1.0;
  options.brightness = 0.4;
  options.contrast = 0.0;
  options.saturation = 0.0;
  for (const auto& value : {RedAboveBlue, Lightness}) {
    const auto factors = Factors(options, value);
    EXPECT_NEAR(factors.first, 0.6, 0.02);
    EXPECT_NEAR(factors.second, 1.4, 0.02);
  }
}

TEST(AugmentTest, GreyHasNoColours) {
  const cv::Mat grey = Changed([](AugmentOptions& o) { o.grey = 1.0; });
  std::vector<cv::Mat> channels;
  cv::split(grey, channels);
  EXPECT_TRUE(Equal(channels[0], channels[1]));
  EXPECT_TRUE(Equal(channels[1], channels[2]));
}

TEST(AugmentTest, ErasesNoMoreThanItMay) {
  for (uint64_t seed = 1; seed < 30; ++seed) {
    cv::Mat difference;
    cv::absdiff(Changed([](AugmentOptions& o) { o.erase = 1.0; }, seed), Picture(), difference);
    cv::Mat any;
    cv::transform(difference, any, cv::Matx13f(1, 1, 1));
    const double share = static_cast<double>(cv::countNonZero(any)) / (112.0 * 112.0);
    EXPECT_GT(share, 0.005);
    EXPECT_LT(share, 0.25);
  }
}

TEST(AugmentTest, HappensAsOftenAsItShould) {
  AugmentOptions options = Nothing();
  options.flip = 0.3;
  int flipped = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    RandomStream random(seed);
    cv::Mat picture = Picture();
    Augment(options, random, picture);
    flipped += Equal(picture, Picture()) ? 0 : 1;
  }
  EXPECT_GT(flipped, 250);
  EXPECT_LT(flipped, 350);
}

TEST(AugmentTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](const std::function<void(AugmentOptions&)>& spoil) {
    AugmentOptions options;
    spoil(options);
    EXPECT_THAT(CheckAugmentation(options), StatusIs(StatusCode::kInvalidArgument));
  };
  EXPECT_THAT(CheckAugmentation(AdaFaceAugmentation()), IsOk());
  refused([](AugmentOptions& o) { o.flip = -0.1; });
  refused([](AugmentOptions& o) { o.crop_zoom = 1.0; });
  refused([](AugmentOptions& o) { o.low_resolution_least = 0.0; });
  refused([](AugmentOptions& o) { o.erase_most = 2.0; });
}

TEST(AugmentTest, AFixedFactorGivesTheSameEachTime) {
  const auto smaller = [](AugmentOptions& options) {
    options.low_resolution = 1.0;
    options.low_resolution_factor = 4.0;
  };
  cv::Mat small;
  cv::resize(Picture(), small, {28, 28}, 0, 0, cv::INTER_CUBIC);
  cv::Mat expected;
  cv::resize(small, expected, {112, 112}, 0, 0, cv::INTER_CUBIC);
  EXPECT_TRUE(Equal(Changed(smaller, 1), expected));
  EXPECT_TRUE(Equal(Changed(smaller, 2), expected));
}

TEST(AugmentTest, TurnsColoursAndLeavesGreyAlone) {
  AugmentOptions options = Nothing();
  options.photometric = 1.0;
  options.brightness = options.contrast = options.saturation = 0.0;
  options.hue = 0.5;
  const auto turned = [&](const cv::Scalar& colour) {
    cv::Mat picture(4, 4, CV_8UC3, colour);
    RandomStream random(7);
    Augment(options, random, picture);
    return picture.at<cv::Vec3b>(0, 0);
  };
  EXPECT_EQ(turned(cv::Scalar::all(90)), cv::Vec3b(90, 90, 90));
  EXPECT_NE(turned({0, 0, 200}), cv::Vec3b(0, 0, 200));
}

TEST(AugmentTest, BlursWithoutChangingTheMean) {
  const cv::Mat blurred = Changed([](AugmentOptions& options) {
    options.blur = 1.0;
    options.blur_most = 8.0;
  });
  EXPECT_FALSE(Equal(blurred, Picture()));
  EXPECT_NEAR(cv::mean(blurred)[0], cv::mean(Picture())[0], 1.0);
}

TEST(AugmentTest, RefusesShapesOutOfTheirRange) {
  const auto refuses = [](const std::function<void(AugmentOptions&)>& choose) {
    AugmentOptions options;
    choose(options);
    EXPECT_THAT(CheckAugmentation(options), StatusIs(StatusCode::kInvalidArgument));
  };
  refuses([](AugmentOptions& options) { options.low_resolution_factor = 0.5; });
  refuses([](AugmentOptions& options) { options.hue = 0.6; });
  refuses([](AugmentOptions& options) { options.blur_most = 0.0; });
}

}  // namespace
}  // namespace facegate
