#include "trainer/quality/quality_samples.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <string>

#include "face/network/grey_networks.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "trainer/quality/quality_report.h"
#include "trainer/quality/quality_view.h"

namespace facegate {
namespace {

constexpr size_t kPixelsOfView = size_t{kQualityCropSide} * kQualityCropSide;

QualitySamples FewSamples() {
  QualitySamples samples;
  for (uint32_t i = 0; i < 40; ++i) {
    samples.people.push_back("person " + std::to_string(i));
    samples.targets.push_back({.person = i,
                               .flaw = ViewFlaw::kDark,
                               .score = 0.5F,
                               .eyes_visible = 1.0F,
                               .mouth_visible = std::numeric_limits<float>::quiet_NaN()});
    samples.pixels.append(kPixelsOfView, static_cast<char>(i));
  }
  return samples;
}

TEST(QualitySamplesTest, ComeBackFromAFile) {
  const std::string bytes = SerializeQualitySamples(FewSamples(), "here");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualitySamples back, ParseQualitySamples(bytes, "here"));
  ASSERT_EQ(back.targets.size(), 40U);
  EXPECT_EQ(back.people[7], "person 7");
  EXPECT_EQ(back.targets[7].flaw, ViewFlaw::kDark);
  EXPECT_TRUE(std::isnan(back.targets[7].mouth_visible));
  EXPECT_EQ(back.View(7).at<uchar>(95, 95), 7);
}

TEST(QualitySamplesTest, AreRefusedWhereTheyWereMadeFromSomethingElse) {
  const std::string bytes = SerializeQualitySamples(FewSamples(), "here");
  EXPECT_THAT(ParseQualitySamples(bytes, "there").status(),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(QualitySamplesTest, AreRefusedWhereBytesAreMissing) {
  const std::string bytes = SerializeQualitySamples(FewSamples(), "here");
  for (const size_t left : {size_t{0}, size_t{7}, bytes.size() / 2, bytes.size() - 1}) {
    EXPECT_FALSE(ParseQualitySamples(bytes.substr(0, left), "here").ok()) << left;
  }
  QualitySamples damaged = FewSamples();
  damaged.targets[3].person = 99;
  EXPECT_THAT(ParseQualitySamples(SerializeQualitySamples(damaged, "here"), "here").status(),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(QualitySamplesTest, AreSplitByPersonAlone) {
  QualitySamples samples = FewSamples();
  for (QualityTarget& target : samples.targets) target.person /= 2;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualitySplit split, SplitQualitySamples(samples, 0.4, 1));
  EXPECT_EQ(split.learned.size() + split.held_out.size(), 40U);
  for (const size_t i : split.learned) {
    for (const size_t k : split.held_out) {
      EXPECT_NE(samples.targets[i].person, samples.targets[k].person);
    }
  }
}

TEST(QualityViewTest, FollowsFromTheNumbersAlone) {
  const cv::Mat clean = SyntheticCrop(1);
  const cv::Mat before = clean.clone();
  for (uint64_t i = 0; i < 60; ++i) {
    RandomStream one(3, i);
    RandomStream other(3, i);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityView first, DrawQualityView(clean, one));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityView again, DrawQualityView(clean, other));
    EXPECT_EQ(first.crop.size(), clean.size());
    EXPECT_EQ(first.crop.type(), CV_8UC3);
    EXPECT_EQ(cv::norm(first.crop, again.crop, cv::NORM_INF), 0) << ViewFlawName(first.flaw);
  }
  EXPECT_EQ(cv::norm(clean, before, cv::NORM_INF), 0);
}

TEST(QualityViewTest, SaysWhatGlassesAndMasksHide) {
  size_t seen = 0;
  for (uint64_t i = 0; i < 300; ++i) {
    RandomStream random(4, i);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityView view,
                                  DrawQualityView(SyntheticCrop(1), random));
    if (view.flaw == ViewFlaw::kDarkGlasses) {
      EXPECT_EQ(view.eyes_visible, false);
      EXPECT_EQ(view.mouth_visible, true);
      ++seen;
    } else if (view.flaw == ViewFlaw::kMask) {
      EXPECT_EQ(view.eyes_visible, true);
      EXPECT_EQ(view.mouth_visible, false);
      ++seen;
    } else if (view.flaw == ViewFlaw::kMisaligned || view.flaw == ViewFlaw::kNoFace) {
      EXPECT_FALSE(view.eyes_visible.has_value());
    }
  }
  EXPECT_GT(seen, 10U);
}

TEST(QualityReportTest, DiscardsTheLeastExpectedFirst) {
  // Four of ten are not recognised; the order has three of them first.
  const std::vector<double> scores = {0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0};
  const std::vector<double> expected = {0.1, 0.2, 0.3, 0.9, 0.5, 0.6, 0.7, 0.8, 0.85, 0.95};
  const auto curve = DiscardCurve(expected, scores);
  ASSERT_EQ(curve.size(), 6U);
  EXPECT_DOUBLE_EQ(curve[0].error, 0.4);
  EXPECT_DOUBLE_EQ(curve[3].discarded, 0.3);
  EXPECT_DOUBLE_EQ(curve[3].error, 1.0 / 7);
  EXPECT_DOUBLE_EQ(curve[4].error, 1.0 / 6);
  EXPECT_DOUBLE_EQ(curve[4].best_error, 0.0);
}

}  // namespace
}  // namespace facegate
