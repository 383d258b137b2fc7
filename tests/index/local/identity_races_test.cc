// Changes of the same identities by several threads at once.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "index/local/collection.h"
#include "tests/index/local/identity_changes_fixture.h"

namespace facegate {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRaceRounds = 40;
#else
constexpr int kRaceRounds = 120;
#endif

class IdentityRacesTest : public IdentityChangesTest {
 protected:
  IdentityRacesTest() {
    IdentityLocks locks;
    FACEGATE_CHECK(&locks.Of(1, "a") != &locks.Of(1, "b"));
  }
};

// Every template that was enrolled is there at the end, once.
TEST_F(IdentityRacesTest, RenamesWhileOthersEnrolLoseNothing) {
  // There is somebody to rename from the start, however late the threads that enrol begin.
  std::mt19937_64 first(9);
  Enrol("a", RandomEmbedding(first, kSize));
  std::atomic<uint64_t> enrolled{1};
  std::atomic<uint64_t> renamed{0};
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    for (int round = 0; round < kRaceRounds; ++round) {
      const std::string name = random() % 2 == 0 ? "a" : "b";
      const std::string other = name == "a" ? "b" : "a";
      if (thread < 3) {
        const auto result = Rename(name, other);
        if (result.ok()) {
          ++renamed;
        } else {
          EXPECT_THAT(result, ::testing::AnyOf(RefusedWith(Reason::kIdentityNotFound),
                                               RefusedWith(Reason::kIdentityExists)));
          // Both are there: one makes room.
          if (gallery_->GetIdentity("people", "a").ok()) {
            const auto moved = Rename("a", fmt::format("moved-{}-{}", thread, round));
            if (moved.ok()) {
              ++renamed;
            } else {
              EXPECT_THAT(moved, RefusedWith(Reason::kIdentityNotFound));
            }
          }
        }
      } else {
        const Embedding face = RandomEmbedding(random, kSize);
        const uint64_t id = Enrol(name, face);
        ++enrolled;
        const auto found = Search(face, 1);
        EXPECT_THAT(found, IsOk());
        if (found.ok()) {
          EXPECT_EQ(found->front().template_id, id);
        }
      }
    }
  });
  EXPECT_GT(renamed, 0u);
  EXPECT_EQ(gallery_->Stats()->templates, enrolled);
  std::set<uint64_t> ids;
  for (const auto& identity : IdentitiesOf(*gallery_, "people")) {
    EXPECT_TRUE(std::is_sorted(identity.templates.begin(), identity.templates.end()));
    for (const auto& one : identity.templates) ids.insert(std::get<0>(one));
  }
  EXPECT_EQ(ids.size(), enrolled);
  ExpectExactAndLasting(Random());
}

TEST_F(IdentityRacesTest, CrossingMergesEndAndLoseNothing) {
  std::atomic<uint64_t> enrolled{0};
  std::atomic<uint64_t> merged{0};
  for (int round = 0; round < kRaceRounds / 4; ++round) {
    InParallel([&](int thread) {
      std::mt19937_64 random(static_cast<uint64_t>(thread + kThreads * round));
      const std::string from = thread % 2 == 0 ? "a" : "b";
      const std::string into = thread % 2 == 0 ? "b" : "a";
      Enrol(from, RandomEmbedding(random, kSize));
      ++enrolled;
      const auto result = Merge(from, into);
      if (result.ok()) {
        ++merged;
      } else {
        EXPECT_THAT(result, RefusedWith(Reason::kIdentityNotFound));
      }
    });
  }
  EXPECT_GT(merged, 0u);
  EXPECT_EQ(gallery_->Stats()->templates, enrolled);
  ExpectExactAndLasting(Random());
}

// Whatever is done to a few ids at once, memory, index and store agree at the end.
TEST_F(IdentityRacesTest, KeepsIndexEqualToTheStoreUnderEveryChange) {
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread) + 500);
    for (int round = 0; round < kRaceRounds; ++round) {
      const std::string name = "p" + std::to_string(random() % 5);
      const std::string other = "p" + std::to_string(random() % 5);
      const Embedding face = RandomEmbedding(random, kSize);
      Status status;
      switch (random() % 8) {
        case 0:
          status = Rename(name, other).status();
          break;
        case 1:
          status = Merge(name, other).status();
          break;
        case 2:
          status = Label(name, {{"l" + std::to_string(thread), std::to_string(round)}}).status();
          break;
        case 3:
          status = gallery_->DeleteIdentity("people", name).status();
          break;
        case 4: {
          const auto info = gallery_->GetIdentity("people", name);
          if (info.ok()) status = Label(name, {{"guarded", "x"}}, info->etag).status();
          break;
        }
        default:
          Enrol(name, face);
          status = Search(face, 3).status();
      }
      if (!status.ok()) {
        EXPECT_THAT(status, ::testing::AnyOf(RefusedWith(Reason::kIdentityNotFound),
                                             RefusedWith(Reason::kIdentityExists),
                                             RefusedWith(Reason::kInvalidField),
                                             RefusedWith(Reason::kEtagMismatch)));
      }
    }
  });
  ExpectExactAndLasting(Random());
}

// All change what they read, and each change is made on top of the one before.
TEST_F(IdentityRacesTest, EtagsLetNoChangeBeOverwritten) {
  Enrol("a", Random());
  InParallel([&](int) {
    for (int done = 0; done < kRaceRounds / 10;) {
      const IdentityInfo info = Get("a");
      const auto count = info.labels.find("count");
      const int next = count == info.labels.end() ? 1 : std::stoi(count->second) + 1;
      const auto changed = Label("a", {{"count", std::to_string(next)}}, info.etag);
      if (changed.ok()) {
        ++done;
      } else {
        EXPECT_THAT(changed, RefusedWith(Reason::kEtagMismatch));
      }
    }
  });
  EXPECT_EQ(Get("a").labels.at("count"), std::to_string(kThreads * (kRaceRounds / 10)));
  ExpectExactAndLasting(Random());
}

// A name belongs to one identity at every moment: who merges and renames back and forth never
// makes a search name an identity that there never was.
TEST_F(IdentityRacesTest, SearchesDuringChangesNameOnlyIdsThatWere) {
  const Embedding face = Random();
  const uint64_t id = Enrol("a", face);
  std::atomic<bool> done{false};
  std::jthread searcher([&] {
    while (!done) {
      const auto found = Search(face, 1);
      ASSERT_THAT(found, IsOk());
      ASSERT_EQ(found->size(), 1u);
      EXPECT_EQ(found->front().template_id, id);
      EXPECT_THAT(found->front().identity, ::testing::AnyOf("a", "b", "c"));
    }
  });
  for (int round = 0; round < kRaceRounds; ++round) {
    EXPECT_THAT(Rename("a", "b"), IsOk());
    Enrol("c", Random());
    EXPECT_THAT(Merge("b", "c"), IsOk());
    EXPECT_THAT(Rename("c", "a"), IsOk());
  }
  done = true;
}

}  // namespace
}  // namespace facegate
