// Calls that wait for the model: which are refused, dropped or let pass.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

#include "tests/server/app_fixture.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

TEST_F(AppTest, RefusesAtOnceWhenItsQueueIsFull) {
  config_.worker_threads = 1;
  config_.request_queue = 1;
  Serve();
  embedder_->Block();
  std::thread running([&] { EXPECT_TRUE(Embed(PatternPng(1)).ok()); });
  embedder_->WaitForCalls(1);
  // One of two more waits and the other is refused, whichever comes first.
  std::atomic<int> refused = 0;
  std::latch one_refused(1);
  const auto embed = [&] {
    const grpc::Status status = Embed(PatternPng(2));
    if (status.ok()) return;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonIn(status), "QUEUE_FULL");
    EXPECT_TRUE(Detail<google::rpc::RetryInfo>(status).has_value());
    ++refused;
    one_refused.count_down();
  };
  std::thread second(embed);
  std::thread third(embed);
  one_refused.wait();
  // Listing goes another way and is not held up.
  grpc::ClientContext context;
  v1::ListCollectionsResponse collections;
  EXPECT_TRUE(gallery_->ListCollections(&context, {}, &collections).ok());
  embedder_->Unblock();
  running.join();
  second.join();
  third.join();
  EXPECT_EQ(refused, 1);
}

TEST_F(AppTest, ACallWhoseDeadlinePassesIsNotComputed) {
  config_.worker_threads = 2;
  Serve();
  embedder_->Block();
  std::thread running([&] { EXPECT_TRUE(Embed(PatternPng(1)).ok()); });
  embedder_->WaitForCalls(1);
  grpc::ClientContext context;
  const auto deadline = std::chrono::system_clock::now() + 50ms;
  context.set_deadline(deadline);
  v1::EmbedResponse response;
  EXPECT_EQ(Embed(context, PatternPng(2), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  // The server counts from when the call arrived, which was before the deadline, if at all.
  std::this_thread::sleep_until(deadline + 100ms);
  embedder_->Unblock();
  running.join();
  EXPECT_TRUE(Embed(PatternPng(3)).ok());
  EXPECT_EQ(embedder_->batch_sizes(), (std::vector<size_t>{1, 1}));
}

TEST_F(AppTest, ACallThatItsClientCancelsIsNotComputed) {
  config_.worker_threads = 2;
  Serve();
  embedder_->Block();
  std::thread running([&] { EXPECT_TRUE(Embed(PatternPng(1)).ok()); });
  embedder_->WaitForCalls(1);
  grpc::ClientContext context;
  std::thread cancelled([&] {
    v1::EmbedResponse response;
    EXPECT_EQ(Embed(context, PatternPng(2), &response).error_code(), grpc::StatusCode::CANCELLED);
  });
  context.TryCancel();
  cancelled.join();
  // A call on the same connection is answered only after the server has read the cancellation.
  EXPECT_EQ(HealthOf(""), Health::SERVING);
  embedder_->Unblock();
  running.join();
  EXPECT_TRUE(Embed(PatternPng(3)).ok());
}

// Every worker that decodes is busy, and more pictures wait.
TEST_F(AppTest, ACallWithoutAPictureDoesNotWaitBehindPictures) {
  config_.worker_threads = 2;
  Serve();
  v1::EmbedResponse embedded;
  grpc::ClientContext embed;
  ASSERT_TRUE(Embed(embed, PatternPng(1), &embedded).ok());
  embedder_->Block();
  std::vector<std::thread> pictures;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    pictures.emplace_back([this, seed] { EXPECT_TRUE(Embed(PatternPng(seed)).ok()); });
  }
  embedder_->WaitForCalls(2);
  v1::CompareRequest request;
  *request.mutable_first()->mutable_embedding() = embedded.embedding();
  *request.mutable_second()->mutable_embedding() = embedded.embedding();
  request.mutable_operating_point()->set_min_cosine(0.5f);
  v1::CompareResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 30s);
  const grpc::Status status = face_->Compare(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH);
  embedder_->Unblock();
  for (std::thread& picture : pictures) picture.join();
}

}  // namespace
}  // namespace facegate
