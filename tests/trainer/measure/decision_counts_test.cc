#include "trainer/measure/decision_counts.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

constexpr Acquisition kUsableFace = Acquisition::kUsable;

TEST(DecisionCountsTest, AMatchReachesTheThreshold) {
  DecisionCounts counts;
  counts.Add(kUsableFace, kUsableFace, 0.5, 0.5);
  counts.Add(kUsableFace, kUsableFace, 0.49, 0.5);
  EXPECT_EQ(counts.match, 1U);
  EXPECT_EQ(counts.no_match, 1U);
}

TEST(DecisionCountsTest, ABadFaceNeverMatches) {
  DecisionCounts counts;
  counts.Add(kUsableFace, Acquisition::kBelowQuality, 1.0, 0.5);
  counts.Add(Acquisition::kBelowQuality, kUsableFace, 1.0, 0.5);
  EXPECT_EQ(counts.inconclusive, 2U);
  EXPECT_EQ(counts.total(), 2U);
}

TEST(DecisionCountsTest, NoFaceComesBeforeABadOne) {
  DecisionCounts counts;
  counts.Add(Acquisition::kNoFace, Acquisition::kBelowQuality, 1.0, 0.5);
  EXPECT_EQ(counts.no_face, 1U);
  EXPECT_EQ(counts.ShareOfAll(counts.no_face), 1.0);
}

TEST(DecisionCountsTest, NothingHasNoShare) { EXPECT_EQ(DecisionCounts().ShareOfAll(0), 0.0); }

TEST(AcquisitionCountsTest, FailuresAreBadFacesAndNone) {
  AcquisitionCounts counts;
  for (const Acquisition one : {Acquisition::kNoFace, Acquisition::kBelowQuality,
                                Acquisition::kUsable, Acquisition::kUsable}) {
    counts.Add(one);
  }
  EXPECT_DOUBLE_EQ(counts.failure_rate().value, 0.5);
  EXPECT_LT(counts.failure_rate().low, 0.5);
}

}  // namespace
}  // namespace facegate
