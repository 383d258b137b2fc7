// How a server stops, and what it finishes before.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "server/stop_limit.h"
#include "tests/server/app_fixture.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

TEST_F(AppTest, StopFinishesCallsInProgressAndRefusesNewOnes) {
  Serve();
  embedder_->Block();
  grpc::Status finished;
  std::thread running([&] { finished = Embed(PatternPng(1)); });
  embedder_->WaitForCalls(1);
  std::thread stopper([&] { app_->Stop(60s); });
  // Listing is answered until the stop begins: the model holds up photos alone.
  grpc::Status refused;
  do {
    grpc::ClientContext context;
    v1::ListCollectionsResponse collections;
    refused = gallery_->ListCollections(&context, {}, &collections);
  } while (refused.ok());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(refused), "SHUTTING_DOWN");
  EXPECT_TRUE(Detail<google::rpc::RetryInfo>(refused).has_value());
  EXPECT_EQ(ReasonIn(Embed(PatternPng(2))), "SHUTTING_DOWN");
  EXPECT_EQ(HealthOf(""), Health::NOT_SERVING);
  embedder_->Unblock();
  running.join();
  stopper.join();
  EXPECT_TRUE(finished.ok()) << finished.error_message();
  EXPECT_EQ(HealthOf(""), Health::SERVICE_UNKNOWN) << "the port is closed";
}

TEST_F(AppTest, StopCancelsCallsThatOutlastTheDrain) {
  Serve();
  embedder_->Block();
  grpc::Status outcome;
  std::thread running([&] { outcome = Embed(PatternPng(1)); });
  embedder_->WaitForCalls(1);
  std::thread stopper([&] { app_->Stop(0s); });
  running.join();  // answered although the model still holds the face
  EXPECT_FALSE(outcome.ok());
  embedder_->Unblock();
  stopper.join();
}

using AppDeathTest = AppTest;

TEST_F(AppDeathTest, AStopGivesUpOnAHandlerThatNeverEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Serve();
        embedder_->Block();
        std::thread running([&] { Embed(PatternPng(1)); });
        embedder_->WaitForCalls(1);
        const StopLimit limit(1s, 7);
        app_->Stop(0s);
      },
      ::testing::ExitedWithCode(7), "the stop takes too long");
}

TEST_F(AppTest, AWatchedHealthHearsOfTheStopAndDoesNotDelayIt) {
  Serve();
  grpc::ClientContext context;
  const auto watch = health_->Watch(&context, {});
  Health response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), Health::SERVING);
  const auto started = std::chrono::steady_clock::now();
  std::thread stopper([&] { app_->Stop(60s); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), Health::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - started, 30s);
}

TEST_F(AppTest, StopsBetweenTwoStepsOfLoading) {
  Open();
  EXPECT_THAT(app_->Load([] { return true; }), StatusIs(StatusCode::kCancelled));
}

TEST_F(AppTest, StopMayBeCalledTwice) {
  Serve();
  app_->Stop(1s);
  app_->Stop(1s);
}

}  // namespace
}  // namespace facegate
