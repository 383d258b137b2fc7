#include "index/local/known_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr IdentityKey kJane{.collection = 1, .identity = 7};
constexpr IdentityKey kJohn{.collection = 1, .identity = 8};
constexpr IdentityKey kStranger{.collection = 2, .identity = 1};

RequestKey KeyOf(const IdentityKey& owner, uint8_t id) { return {.owner = owner, .id = {{id}}}; }

std::vector<RequestKey> ListOf(const KnownRequests::Keys& keys) {
  return {keys.begin(), keys.end()};
}

TEST(KnownRequestsTest, FindsThemByIdAndBelowTheirOwners) {
  KnownRequests known;
  EXPECT_TRUE(known.Add(KeyOf(kJane, 3), 10));
  EXPECT_TRUE(known.Add(KeyOf(kJohn, 1), 20));
  EXPECT_TRUE(known.Add(KeyOf(kStranger, 2), 30));
  EXPECT_EQ(known.OwnerOf({{1}}), kJohn);
  EXPECT_EQ(known.OwnerOf({{9}}), std::nullopt);
  EXPECT_THAT(ListOf(known.Below(kJane)), ElementsAre(KeyOf(kJane, 3)));
  EXPECT_THAT(ListOf(known.Below(1)), ElementsAre(KeyOf(kJane, 3), KeyOf(kJohn, 1)));
}

TEST(KnownRequestsTest, TakesNoIdTwice) {
  KnownRequests known;
  EXPECT_TRUE(known.Add(KeyOf(kJane, 1), 10));
  EXPECT_FALSE(known.Add(KeyOf(kJohn, 1), 20));
  EXPECT_EQ(known.OwnerOf({{1}}), kJane);
}

TEST(KnownRequestsTest, RememberingMovesARequestToItsNextOwner) {
  KnownRequests known;
  known.Add(KeyOf(kJane, 1), 10);
  StoreChange change;
  change.requests.push_back(
      {.key = KeyOf(kJohn, 1), .fingerprint = {}, .create_time_us = 10, .answer = {}});
  for (auto& place : KnownRequests::PlacesFor(change)) known.Remember(std::move(place));
  EXPECT_EQ(known.size(), 1U);
  EXPECT_THAT(ListOf(known.Below(kJane)), IsEmpty());
  EXPECT_THAT(ListOf(known.Below(kJohn)), ElementsAre(KeyOf(kJohn, 1)));
}

TEST(KnownRequestsTest, ForgetsOnlyBelowTheOwnerThatIsNamed) {
  KnownRequests known;
  known.Add(KeyOf(kJane, 1), 10);
  known.Forget(KeyOf(kJohn, 1));
  EXPECT_EQ(known.size(), 1U);
  known.Forget(KeyOf(kJane, 1));
  EXPECT_EQ(known.size(), 0U);
  EXPECT_THAT(known.by_age(), IsEmpty());
}

TEST(KnownRequestsTest, TheOldestGoByTheirTimeNotTheirId) {
  KnownRequests known;
  known.Add(KeyOf(kJane, 1), 30);
  known.Add(KeyOf(kJane, 2), 10);
  known.Add(KeyOf(kJane, 3), 20);
  known.Add(KeyOf(kJohn, 4), 1);
  EXPECT_THAT(known.OldestBelow(kJane, 1), ElementsAre(KeyOf(kJane, 2), KeyOf(kJane, 3)));
  EXPECT_THAT(known.OldestBelow(kJane, 3), IsEmpty());
}

}  // namespace
}  // namespace facegate
