#include "index/store/template_store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

TEST(TemplateStoreTest, GivesOutNumbersOnceOverReopeningsAndThreads) {
  TempDir dir;
  std::set<uint64_t> seen;
  size_t given = 0;
  for (int round = 0; round < 3; ++round) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(auto store, OpenTemplateStore({.directory = dir.File("s")}));
    Mutex mutex;
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (uint64_t i = 0; i < 500; ++i) {
          const auto first = store->ReserveUids(i % 40 + 1);
          FACEGATE_CHECK(first.ok());
          const MutexLock lock(mutex);
          for (uint64_t uid = *first; uid <= *first + i % 40; ++uid) seen.insert(uid);
          given += i % 40 + 1;
        }
      });
    }
  }
  EXPECT_EQ(seen.size(), given);
  EXPECT_GE(*seen.begin(), 1u);
}

TEST(TemplateStoreTest, GivesOutMoreNumbersThanABlock) {
  TempDir dir;
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto store, OpenTemplateStore({.directory = dir.File("s")}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t first, store->ReserveUids(100'000));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t second, store->ReserveUids(1));
  EXPECT_EQ(second, first + 100'000);
  EXPECT_THAT(store->ReserveUids(kUidLimit), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(store->ReserveUids(UINT64_MAX), StatusIs(StatusCode::kInternal));
}

}  // namespace
}  // namespace facegate
