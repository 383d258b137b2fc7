#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/parallel/gloo_group.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

// Runs `body` in so many threads, each of which has a group as a process would: they meet and talk
// as processes do.
inline void InGroup(int size, const std::function<void(std::shared_ptr<ProcessGroup>)>& body) {
  const TempDir dir;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(size));
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      auto group = JoinGlooGroup({.rendezvous = dir.File("meet"),
                                  .rank = rank,
                                  .size = size,
                                  .to_meet = std::chrono::seconds(30),
                                  .deadline = std::chrono::seconds(60)});
      ASSERT_THAT(group, IsOk());
      body(*std::move(group));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Skips the test where this build's LibTorch has no Gloo.
class WithGloo : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
  }
};

}  // namespace facegate
