// Memory follows what is enrolled.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "face/base/clock.h"
#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

int64_t ResidentNow() {
  std::ifstream statm("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  statm >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

TEST(ReturnedMemoryTest, GoesBackWhenMostIdentitiesAreDeleted) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the memory is a sanitizer's";
#endif
  constexpr int kIdentities = 60;
  constexpr int kDeleted = 54;
  constexpr int kSize = 16;
  constexpr size_t kTemplates = 1000;
  // The text of a template alone, which lies in small pieces.
  constexpr int64_t kTextBytes = int64_t{128} * kDeleted * kTemplates;
  const TempDir dir;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto gallery,
                                OpenLocalGallery({.directory = dir.File("store"),
                                                  .upkeep_interval = std::chrono::milliseconds(20)},
                                                 Clock::System()));
  ASSERT_TRUE(gallery->CreateCollection("people", TestModel(), kSize, {}).ok());
  std::mt19937_64 random(1);
  const std::vector<NewTemplate> templates(kTemplates, {.embedding = RandomEmbedding(random, kSize),
                                                        .detector = std::string(64, 'd'),
                                                        .source_digest = std::string(64, 's')});
  for (int i = 0; i < kIdentities; ++i) {
    ASSERT_TRUE(gallery->Enrol("people", std::to_string(i), TestModel(), templates, {}).ok());
  }
  const int64_t before = ResidentNow();
  for (int i = 0; i < kDeleted; ++i) {
    ASSERT_TRUE(gallery->DeleteIdentity("people", std::to_string(i)).ok());
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (before - ResidentNow() < kTextBytes && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GE(before - ResidentNow(), kTextBytes);
}

}  // namespace
}  // namespace facegate
