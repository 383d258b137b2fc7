#include "server/operations/comparability.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "server/operations/quality_policy.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// The value of a component that has the quality.
double ValueAt(QualityComponent component, double quality) {
  return ValueOfQuality(component, quality, 0.0);
}

FaceQuality QualityFrom(double inter_eye_quality, double yaw_quality) {
  std::vector<ComponentQuality> components;
  for (const auto& [component, quality] :
       {std::pair(QualityComponent::kInterEyeDistance, inter_eye_quality),
        std::pair(QualityComponent::kHeadYaw, yaw_quality)}) {
    components.push_back(
        {.component = component, .value = ValueAt(component, quality), .quality = quality});
  }
  return Combine(std::move(components));
}

PreparedFace FaceOf(std::optional<FaceQuality> quality) {
  PreparedFace face;
  face.content = UnitOf(std::vector<float>{1.0f, 0.0f});
  face.quality = std::move(quality);
  return face;
}

bool Passes(double wanted, std::optional<FaceQuality> quality) {
  PreparedFace face = FaceOf(std::move(quality));
  WithholdUnfit(wanted, face);
  return !std::holds_alternative<std::monostate>(face.content);
}

TEST(ComparabilityTest, TheScoreThatIsWantedPassesAndNothingBelowIt) {
  EXPECT_TRUE(Passes(0.5, FaceQuality{.score = 0.5, .components = {}}));
  EXPECT_FALSE(Passes(0.5, FaceQuality{.score = 0.4999, .components = {}}));
}

TEST(ComparabilityTest, NothingWantedLetsEveryFacePass) {
  EXPECT_TRUE(Passes(0.0, FaceQuality{.score = 0.0, .components = {}}));
}

TEST(ComparabilityTest, AScoreThatIsNoNumberDoesNotPass) {
  constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Passes(0.4, FaceQuality{.score = kNoNumber, .components = {}}));
}

TEST(ComparabilityTest, WhatWasNotMeasuredIsTheCallersWord) {
  EXPECT_TRUE(Passes(1.0, std::nullopt));
}

TEST(ComparabilityTest, ACollectionsOwnValueComesBeforeTheServers) {
  EXPECT_EQ(WantedQuality(std::nullopt, 0.4), 0.4);
  EXPECT_EQ(WantedQuality(0.75f, 0.4), 0.75);
  EXPECT_EQ(WantedQuality(0.0f, 0.4), 0.0);
}

TEST(ComparabilityTest, AReportHasTheShortcomingsWorstFirst) {
  const FaceReport report = ReportOf(std::nullopt, QualityFrom(0.375, 0.25), 0.4);
  ASSERT_EQ(report.shortcomings.size(), 2u);
  EXPECT_EQ(report.shortcomings[0].component, QualityComponent::kHeadYaw);
  EXPECT_EQ(report.shortcomings[1].component, QualityComponent::kInterEyeDistance);
  EXPECT_EQ(report.wanted, 0.4);
}

TEST(ComparabilityTest, AReportOfAFitFaceHasNoShortcomings) {
  EXPECT_TRUE(ReportOf(std::nullopt, QualityFrom(1.0, 1.0), 0.4).shortcomings.empty());
  EXPECT_TRUE(ReportOf(std::nullopt, QualityFrom(0.0, 1.0), 0.0).shortcomings.empty());
}

TEST(ComparabilityTest, TheRefusalOfAnEnrolmentSaysWhatIsWrongAndWhatIsWanted) {
  constexpr auto kComponent = QualityComponent::kInterEyeDistance;
  FaceQuality quality = QualityFrom(0.25, 1.0);
  quality.components[0].value = 7.13;
  const Status refused = CheckFitToEnrol(0.4, FaceOf(quality));
  const std::string wanted = fmt::format("{:.3g}", ValueAt(kComponent, 0.4));
  EXPECT_THAT(refused, RefusedWith(Reason::kLowQuality));
  EXPECT_EQ(std::string(MessageOf(refused)),
            "the face is not good enough to enrol: inter eye distance is 7.13 px, " + wanted +
                " wanted (come closer)");
  EXPECT_THAT(MetadataOf(refused), ElementsAre(Pair("inter_eye_distance", "7.13/" + wanted)));
}

TEST(ComparabilityTest, TheRefusalNamesEachShortcoming) {
  const Status refused = CheckFitToEnrol(0.4, FaceOf(QualityFrom(0.25, 0.25)));
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("head yaw is "));
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("inter eye distance is "));
  EXPECT_EQ(MetadataOf(refused).size(), 2u);
}

TEST(ComparabilityTest, AFaceThatIsGoodEnoughMayBeEnrolled) {
  EXPECT_THAT(CheckFitToEnrol(0.5, FaceOf(QualityFrom(1.0, 0.5))), IsOk());
}

}  // namespace
}  // namespace facegate
