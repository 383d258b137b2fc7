#include "index/rows/follow_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "face/base/status.h"

namespace facegate {
namespace {

class FakeFollower final : public Follower {
 public:
  explicit FakeFollower(std::function<void(const StopCheck&)> follow = {})
      : follow_(std::move(follow)) {}

  void FollowNow(const StopCheck& stop) override {
    if (follow_) follow_(stop);
  }
  void LetGo() override { ++let_go; }

  std::atomic<int> let_go{0};

 private:
  const std::function<void(const StopCheck&)> follow_;
};

TEST(FollowThreadTest, LetsOthersLetGoWhileOneFollows) {
  FollowThread thread;
  const auto waits = std::make_shared<FakeFollower>();
  const auto follows = std::make_shared<FakeFollower>([&](const StopCheck& stop) {
    thread.Ask(waits);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(stop().ok());
    EXPECT_EQ(waits->let_go, 1);
    thread.Ask(waits);  // something else has gone meanwhile
    EXPECT_TRUE(stop().ok());
    EXPECT_EQ(waits->let_go, 2);
  });
  thread.Ask(follows);
  thread.AwaitIdle();
  EXPECT_EQ(waits->let_go, 2);
}

TEST(FollowThreadTest, StopsWhoseOwnerHasGone) {
  FollowThread thread;
  std::atomic<bool> begun{false};
  std::atomic<bool> stopped{false};
  auto follower = std::make_shared<FakeFollower>([&](const StopCheck& stop) {
    begun = true;
    while (stop().ok()) std::this_thread::yield();
    stopped = true;
  });
  thread.Ask(follower);
  while (!begun) std::this_thread::yield();
  follower.reset();
  thread.AwaitIdle();
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace facegate
