#include "index/store/eraser.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>

#include "tests/support/faulty_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience(60);

// A store whose compactions are counted, and fail when told to.
class EraserTest : public ::testing::Test {
 protected:
  EraserTest() {
    auto inner = OpenTemplateStore({.directory = dir_.File("store")});
    FACEGATE_CHECK(inner.ok());
    store_ = std::make_unique<FaultyStore>(std::move(inner).value());
    store_->SetCompact([this](std::atomic<bool>*) {
      const Status answer = failures_ > 0 ? Internal("no room") : OkStatus();
      failures_ -= failures_ > 0 ? 1 : 0;
      compactions_.release();
      return answer;
    });
  }

  bool WaitForCompaction() { return compactions_.try_acquire_for(kPatience); }
  // True when there was one that nobody waited for.
  bool CompactedAgain() { return compactions_.try_acquire(); }

  TempDir dir_;
  std::unique_ptr<FaultyStore> store_;
  int failures_ = 0;
  std::counting_semaphore<> compactions_{0};
};

TEST_F(EraserTest, CompactsAfterTheDelayWhileTheStoreIsOpen) {
  Eraser eraser(*store_, milliseconds(1));
  eraser.Request();
  EXPECT_TRUE(WaitForCompaction());
  eraser.Request();
  EXPECT_TRUE(WaitForCompaction());
}

TEST_F(EraserTest, DeletionsWithinTheDelayShareOneCompaction) {
  {
    Eraser eraser(*store_, std::chrono::hours(1));
    for (int i = 0; i < 100; ++i) eraser.Request();
  }
  EXPECT_TRUE(WaitForCompaction());
  EXPECT_FALSE(CompactedAgain());
}

TEST_F(EraserTest, DoesNothingWithoutADeletion) {
  { const Eraser eraser(*store_, milliseconds(0)); }
  EXPECT_FALSE(CompactedAgain());
}

TEST_F(EraserTest, TriesAgainAfterAFailure) {
  failures_ = 2;
  Eraser eraser(*store_, milliseconds(1));
  eraser.Request();
  EXPECT_TRUE(WaitForCompaction());
  EXPECT_TRUE(WaitForCompaction());
  EXPECT_TRUE(WaitForCompaction());
}

TEST_F(EraserTest, LeavesMuchWorkToTheNextStartWhenItCloses) {
  store_->SetBytesToCompact(Eraser::kMaxBytesAtClose + 1);
  {
    Eraser eraser(*store_, std::chrono::hours(1));
    eraser.Request();
  }
  EXPECT_FALSE(CompactedAgain());
}

TEST_F(EraserTest, EndsACompactionThatIsAtWorkWhenItCloses) {
  store_->SetBytesToCompact(Eraser::kMaxBytesAtClose + 1);
  store_->SetCompact([this](std::atomic<bool>* canceled) -> Status {
    compactions_.release();
    while (!*canceled) std::this_thread::yield();
    return Unavailable("canceled");
  });
  {
    Eraser eraser(*store_, milliseconds(1));
    eraser.Request();
    ASSERT_TRUE(WaitForCompaction());
  }
  EXPECT_FALSE(CompactedAgain());
}

// A slow disk, and little to do.
TEST_F(EraserTest, EndsTheCompactionOfTheCloseThatTakesTooLong) {
  store_->SetBytesToCompact(1);
  store_->SetCompact([this](std::atomic<bool>* canceled) -> Status {
    const auto patience = std::chrono::steady_clock::now() + kPatience;
    while (!*canceled && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
    EXPECT_TRUE(*canceled);
    compactions_.release();
    return Unavailable("canceled");
  });
  {
    Eraser eraser(*store_, std::chrono::hours(1), milliseconds(10));
    eraser.Request();
  }
  EXPECT_TRUE(WaitForCompaction());
  EXPECT_FALSE(CompactedAgain());
}

// Fifteen times as long as it worked.
TEST_F(EraserTest, RestsAfterALongCompaction) {
  std::chrono::steady_clock::time_point ended;
  constexpr milliseconds kWork(20);
  store_->SetCompact([&](std::atomic<bool>*) {
    const auto begin = std::chrono::steady_clock::now();
    if (ended != std::chrono::steady_clock::time_point()) {
      EXPECT_GE(begin - ended, Eraser::kRest * kWork);
    }
    std::this_thread::sleep_for(kWork);
    ended = std::chrono::steady_clock::now();
    compactions_.release();
    return OkStatus();
  });
  Eraser eraser(*store_, milliseconds(1));
  for (int i = 0; i < 2; ++i) {
    eraser.Request();
    ASSERT_TRUE(WaitForCompaction());
  }
}

TEST_F(EraserTest, AFailureDoesNotKeepItFromClosing) {
  failures_ = 1'000'000;
  {
    Eraser eraser(*store_, std::chrono::hours(1));
    eraser.Request();
  }
  EXPECT_TRUE(WaitForCompaction());
  EXPECT_FALSE(CompactedAgain());
}

}  // namespace
}  // namespace facegate
