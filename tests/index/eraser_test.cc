#include "index/eraser.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <semaphore>

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
    store_->SetCompact([this] {
      const Status answer = failures_ > 0 ? Internal("no room") : OkStatus();
      failures_ -= failures_ > 0 ? 1 : 0;
      compactions_.release();
      return answer;
    });
  }

  bool WaitForCompaction() { return compactions_.try_acquire_for(kPatience); }
  // Those that nobody waited for.
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
