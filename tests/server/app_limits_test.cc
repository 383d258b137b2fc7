// These tests are of what strangers may ask of an open port before, and beside, our own checks.

#include <gmock/gmock.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/app_fixture.h"
#include "tests/support/process_figures.h"
#include "tests/support/wire_call.h"

namespace facegate {
namespace {

class AppLimitsTest : public AppTest {
 protected:
  std::string EmbedBytes(size_t image_bytes) {
    v1::EmbedRequest request;
    request.mutable_probe()->set_aligned_crop(PatternPng(1));
    request.mutable_probe()->mutable_aligned_crop()->resize(image_bytes, '\0');
    return request.SerializeAsString();
  }
};

TEST_F(AppLimitsTest, GivesBackTheMemoryOfRefusedRequests) {
  config_.request_memory = 4 * EffectiveMaxMessageBytes(config_);
  Serve();
  // Within the message limit, but of a much larger image than is allowed.
  const std::string large =
      EmbedBytes(static_cast<size_t>(EffectiveMaxMessageBytes(config_)) - 1024);
  for (int i = 0; i < 20; ++i) {
    const WireAnswer answer = CallRaw(channel_, "/facegate.v1.FaceService/Embed", large);
    EXPECT_EQ(answer.reason, "IMAGE_TOO_LARGE") << answer.message;
  }
}

TEST_F(AppLimitsTest, CountsTheBytesOfRequestsInProgress) {
  config_.max_image_bytes = 1 << 20;
  config_.worker_threads = 64;
  config_.request_memory = 2 * EffectiveMaxMessageBytes(config_);  // 10 MiB
  Serve();
  embedder_->Block();
  // Each holds nearly 1 MiB and waits for the model: ten of sixteen fit.
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        const WireAnswer answer =
            CallRaw(OwnConnection("127.0.0.1:" + std::to_string(app_->port())),
                    "/facegate.v1.FaceService/Embed", EmbedBytes((1 << 20) - 64));
        if (answer.code == 0) return;
        EXPECT_EQ(answer.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
        if (answer.reason == "QUEUE_FULL") {
          EXPECT_TRUE(answer.has_retry);
          EXPECT_THAT(answer.message, ::testing::ContainsRegex("hold [0-9]+ bytes and this one has "
                                                               "[0-9]+; together they may hold "
                                                               "[0-9]+"));
        } else {
          EXPECT_EQ(answer.reason, "") << "gRPC's own refusal";
        }
        if (++refused == 6) embedder_->Unblock();
      });
    }
  }
  EXPECT_GE(refused, 6);
  EXPECT_TRUE(Embed(PatternPng(1)).ok());
}

TEST_F(AppLimitsTest, StreamsOfStrangersDoNotCostAThreadEach) {
  config_.calls_per_connection = 1000;
  Serve();
  const size_t before = ThreadCount(::getpid());
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  const auto step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call;
    grpc::Status status;
  };
  std::deque<Stream> streams(60);
  for (Stream& stream : streams) {
    stream.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream.call = stub.PrepareCall(
        &stream.context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
    stream.call->StartCall(nullptr);
    step();
  }
  EXPECT_EQ(HealthOf(""), Health::SERVING);
  EXPECT_TRUE(Embed(PatternPng(1)).ok());
  EXPECT_LT(ThreadCount(::getpid()), before + 40);
  for (Stream& stream : streams) {
    stream.context.TryCancel();
    stream.call->Finish(&stream.status, nullptr);
    step();
    EXPECT_FALSE(stream.status.ok());
  }
}

TEST_F(AppLimitsTest, RefusesLargeMetadata) {
  Serve();
  const std::string request = EmbedBytes(4096);
  // Each on a connection of its own: gRPC may close one that brought too much.
  const auto with = [&](size_t bytes) {
    const auto channel = OwnConnection("127.0.0.1:" + std::to_string(app_->port()));
    return CallRaw(channel, "/facegate.v1.FaceService/Embed", request,
                   {.metadata = {{"x-large", std::string(bytes, 'a')}}});
  };
  EXPECT_EQ(with(64 * 1024).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(with(1024).code, grpc::StatusCode::OK);
}

}  // namespace
}  // namespace facegate
