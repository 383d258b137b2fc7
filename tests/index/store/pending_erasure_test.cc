#include "index/store/pending_erasure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

ErasedKeys Erasing(Family family, uint64_t collection) {
  ErasedKeys erased;
  erased[family].Add(RangeOf(collection));
  return erased;
}

void Write(PendingErasure& erasure, const ErasedKeys& erased) {
  PendingErasure::Writing writing(erasure, erased);
  writing.Done();
}

std::vector<KeyRange> RangesOf(const ErasedKeys& erased, Family family) {
  const auto place = erased.find(family);
  if (place == erased.end()) return {};
  return {place->second.all().begin(), place->second.all().end()};
}

// The families whose marks a compaction of what waits takes away.
std::vector<Family> UnmarkedByCompaction(PendingErasure& erasure) {
  std::vector<Family> unmarked;
  PendingErasure::Taken taken(erasure);
  EXPECT_THAT(taken.Finish([&](const std::vector<Family>& families) {
    unmarked = families;
    return OkStatus();
  }),
              IsOk());
  return unmarked;
}

TEST(PendingErasureTest, WaitsWhenItsWriteHasEndedAndNotBefore) {
  PendingErasure erasure;
  {
    PendingErasure::Writing writing(erasure, Erasing(Family::kIdentities, 1));
    EXPECT_FALSE(erasure.empty());
    EXPECT_THAT(erasure.waiting(), IsEmpty());
    writing.Done();
    EXPECT_THAT(erasure.waiting(), IsEmpty());
  }
  EXPECT_THAT(RangesOf(erasure.waiting(), Family::kIdentities), ElementsAre(RangeOf(1)));
}

TEST(PendingErasureTest, WaitsAfterAFailedWriteWithoutAMark) {
  PendingErasure erasure;
  { const PendingErasure::Writing failed(erasure, Erasing(Family::kIdentities, 1)); }
  EXPECT_THAT(RangesOf(erasure.waiting(), Family::kIdentities), ElementsAre(RangeOf(1)));
  const PendingErasure::Writing next(erasure, Erasing(Family::kIdentities, 2));
  EXPECT_THAT(next.unmarked(), ElementsAre(Family::kIdentities));
}

TEST(PendingErasureTest, MarksAFamilyOnce) {
  PendingErasure erasure;
  Write(erasure, Erasing(Family::kIdentities, 1));
  ErasedKeys both = Erasing(Family::kIdentities, 2);
  both[Family::kTemplates].Add(RangeOf(2));
  const PendingErasure::Writing next(erasure, both);
  EXPECT_THAT(next.unmarked(), ElementsAre(Family::kTemplates));
}

TEST(PendingErasureTest, WaitsAgainWhenACompactionFails) {
  PendingErasure erasure;
  Write(erasure, Erasing(Family::kIdentities, 1));
  {
    const PendingErasure::Taken failed(erasure);
    EXPECT_THAT(RangesOf(failed.keys(), Family::kIdentities), ElementsAre(RangeOf(1)));
    EXPECT_THAT(erasure.waiting(), IsEmpty());
    Write(erasure, Erasing(Family::kIdentities, 2));
  }
  EXPECT_THAT(RangesOf(erasure.waiting(), Family::kIdentities),
              ElementsAre(RangeOf(1), RangeOf(2)));
}

TEST(PendingErasureTest, IsOverAfterACompaction) {
  PendingErasure erasure;
  Write(erasure, Erasing(Family::kIdentities, 1));
  EXPECT_THAT(UnmarkedByCompaction(erasure), ElementsAre(Family::kIdentities));
  EXPECT_TRUE(erasure.empty());
  EXPECT_THAT(erasure.waiting(), IsEmpty());
}

TEST(PendingErasureTest, KeepsTheMarkOfAFamilyThatIsBeingWritten) {
  PendingErasure erasure;
  Write(erasure, Erasing(Family::kIdentities, 1));
  Write(erasure, Erasing(Family::kTemplates, 1));
  {
    PendingErasure::Writing writing(erasure, Erasing(Family::kIdentities, 2));
    EXPECT_THAT(UnmarkedByCompaction(erasure), ElementsAre(Family::kTemplates));
    writing.Done();
  }
  EXPECT_THAT(UnmarkedByCompaction(erasure), ElementsAre(Family::kIdentities));
  EXPECT_TRUE(erasure.empty());
}

TEST(PendingErasureTest, OfAnOpenedStoreIsEverythingInAMarkedFamily) {
  PendingErasure erasure;
  erasure.Opened(Family::kRequests);
  EXPECT_THAT(erasure.waiting(), ElementsAre(Pair(Family::kRequests, testing::_)));
  EXPECT_THAT(RangesOf(erasure.waiting(), Family::kRequests), ElementsAre(AllKeys()));
}

}  // namespace
}  // namespace facegate
