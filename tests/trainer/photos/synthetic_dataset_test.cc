#include "trainer/photos/synthetic_dataset.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "trainer/synthetic/synthetic_face.h"

namespace facegate {
namespace {

TEST(SyntheticDatasetTest, NumbersPicturesByIdentityAndView) {
  const auto set = MakeSyntheticDataset(
      {.seed = 2, .first_identity = 10, .identities = 3, .views = 4, .first_view = 7});
  EXPECT_EQ(set->size(), 12U);
  EXPECT_EQ(set->classes(), 3U);
  EXPECT_EQ(set->label(0), 0U);
  EXPECT_EQ(set->label(11), 2U);
  EXPECT_EQ(set->name(9), "synthetic/000012/008");
  const auto loaded = set->Load(9);
  ASSERT_THAT(loaded, IsOk());
  const auto expected = synthetic::RenderFaceCrop({.seed = 2, .identity = 12, .view = 8});
  EXPECT_EQ(cv::norm(*loaded, expected->picture, cv::NORM_INF), 0.0);
}

TEST(SyntheticDatasetTest, NamesThePictureInErrors) {
  const auto set = MakeSyntheticDataset({.identities = 2, .views = 2, .difficulty = 3.0});
  const Status status = set->Load(3).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr("synthetic/000001/001"));
}

// The share of held-out views whose nearest mean of raw pixels is that of their own identity.
double NearestMeanAccuracy(double difficulty) {
  constexpr size_t kIdentities = 50;
  constexpr size_t kViews = 8;
  constexpr size_t kHeldOut = 2;
  const auto set = MakeSyntheticDataset(
      {.seed = 5, .identities = kIdentities, .views = kViews, .difficulty = difficulty});
  std::vector<cv::Mat> means;
  std::vector<cv::Mat> probes;
  for (size_t identity = 0; identity < kIdentities; ++identity) {
    cv::Mat mean = cv::Mat::zeros(112, 112, CV_32FC3);
    for (size_t view = 0; view < kViews; ++view) {
      cv::Mat picture;
      set->Load(identity * kViews + view)->convertTo(picture, CV_32FC3);
      if (view < kHeldOut) {
        probes.push_back(picture);
      } else {
        mean += picture;
      }
    }
    means.push_back(mean / static_cast<double>(kViews - kHeldOut));
  }
  size_t right = 0;
  for (size_t probe = 0; probe < probes.size(); ++probe) {
    size_t nearest = 0;
    double least = cv::norm(probes[probe], means[0]);
    for (size_t i = 1; i < kIdentities; ++i) {
      const double distance = cv::norm(probes[probe], means[i]);
      if (distance < least) {
        least = distance;
        nearest = i;
      }
    }
    if (nearest == probe / kHeldOut) ++right;
  }
  return static_cast<double>(right) / static_cast<double>(probes.size());
}

TEST(SyntheticDatasetTest, IsNotSolvedByComparingPixels) {
  const double accuracy = NearestMeanAccuracy(1.0);
  RecordProperty("nearest_mean_accuracy", std::to_string(accuracy));
  EXPECT_LT(accuracy, 0.6);
  EXPECT_GT(accuracy, 0.04);  // chance is 0.02
}

}  // namespace
}  // namespace facegate
