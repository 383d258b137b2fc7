#include "index/store/store_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;

constexpr IdentityKey kJane{.collection = 1, .identity = 7};

TEST(StoreChangeTest, ErasesWhereItDeletes) {
  StoreChange change;
  change.deleted_identities.push_back(kJane);
  change.deleted_requests.push_back({.owner = kJane, .id = {{1}}});
  const ErasedKeys erased = ErasedBy(change);
  EXPECT_THAT(erased, ElementsAre(Key(Family::kIdentities), Key(Family::kRequests)));
  EXPECT_THAT(erased.at(Family::kRequests).all(), ElementsAre(RangeOf(kJane)));
}

TEST(StoreChangeTest, ErasesAllOfACollectionButItsRequests) {
  StoreChange change;
  change.deleted_collections.push_back(1);
  EXPECT_THAT(ErasedBy(change), ElementsAre(Key(Family::kCollections), Key(Family::kIdentities),
                                            Key(Family::kTemplates), Key(Family::kCrops)));
}

TEST(StoreChangeTest, ErasesWhatItOverwritesOnlyWhereItSaysSo) {
  StoreChange change;
  StoredIdentity jane;
  jane.key = kJane;
  change.identities.push_back(jane);
  EXPECT_TRUE(ErasedBy(change).empty());
  change.erases_overwritten = true;
  EXPECT_THAT(ErasedBy(change), ElementsAre(Key(Family::kIdentities)));
}

TEST(StoreChangeTest, NeedsRoomForTemplatesAlsoWhereItDeletes) {
  StoreChange change;
  change.deleted_collections.push_back(1);
  EXPECT_TRUE(TakesAway(change));
  change.requests.emplace_back();
  EXPECT_TRUE(TakesAway(change));
  change.templates.push_back({.key = {.owner = kJane, .template_id = 9},
                              .embedding = *Embedding::FromUnit({1.0F}),
                              .model = {},
                              .detector = {}});
  EXPECT_FALSE(TakesAway(change));
}

TEST(StoreChangeTest, NeedsRoomForRecordsAlone) {
  StoreChange change;
  change.requests.emplace_back();
  EXPECT_FALSE(TakesAway(change));
}

}  // namespace
}  // namespace facegate
