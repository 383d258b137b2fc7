#include "server/rpc/call_gate.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(CallGateTest, LetsCallsInBetweenOpenAndClose) {
  CallGate gate;
  const Status early = gate.Enter();
  EXPECT_THAT(early, RefusedWith(Reason::kNotReady));
  EXPECT_TRUE(RetryAfterOf(early).has_value());
  gate.Open();
  EXPECT_THAT(gate.Enter(), IsOk());
  gate.Leave();
  gate.Close();
  const Status late = gate.Enter();
  EXPECT_THAT(late, RefusedWith(Reason::kShuttingDown));
  EXPECT_TRUE(RetryAfterOf(late).has_value());
}

TEST(CallGateTest, StaysClosed) {
  CallGate gate;
  gate.Close();
  gate.Open();
  EXPECT_THAT(gate.Enter(), RefusedWith(Reason::kShuttingDown));
}

TEST(CallGateTest, WaitsForThoseInside) {
  CallGate gate;
  gate.Open();
  ASSERT_THAT(gate.Enter(), IsOk());
  gate.Close();
  EXPECT_FALSE(gate.WaitUntilEmpty(Clock::System().Now()));
  std::thread leaver([&] { gate.Leave(); });
  EXPECT_TRUE(gate.WaitUntilEmpty(Deadline::max()));
  leaver.join();
}

TEST(CallGateTest, DoesNotWaitWhenNobodyIsInside) {
  CallGate gate;
  EXPECT_TRUE(gate.WaitUntilEmpty(Clock::System().Now()));
}

}  // namespace
}  // namespace facegate
