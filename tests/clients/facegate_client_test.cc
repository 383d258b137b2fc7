#include "clients/cpp/facegate_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/request_id.h"
#include "clients/cpp/retry.h"
#include "clients/cpp/rpc_error.h"
#include "tests/clients/fake_server.h"

namespace facegate {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::unique_ptr<FacegateClient> ConnectTo(const std::string& target) {
  auto client = FacegateClient::Connect({.target = target, .timeout = std::chrono::seconds(10)});
  EXPECT_TRUE(client.ok());
  return std::move(client).value();
}

// A loopback address where nothing listens.
std::string DeadTarget() {
  const FakeServer gone;
  return gone.target();
}

v1::EnrollRequest EnrollOf(const std::string& identity, const std::string& image) {
  v1::EnrollRequest request;
  request.set_collection_id("c");
  request.set_identity_id(identity);
  request.add_samples()->set_image(image);
  return request;
}

TEST(FacegateClientTest, ReturnsTheAnswerOfTheServer) {
  FakeServer server;
  const auto client = ConnectTo(server.target());
  const auto answer = client->Enroll(EnrollOf("1017", "a"));
  ASSERT_TRUE(answer.ok()) << answer.error();
  EXPECT_EQ(answer->identity().id(), "1017");
  EXPECT_TRUE(answer->created_identity());
}

TEST(FacegateClientTest, SendsEachChangeOfAnIdentityToItsMethod) {
  FakeServer server;
  const auto client = ConnectTo(server.target());
  v1::UpdateIdentityRequest update;
  update.set_identity_id("1017");
  const auto updated = client->UpdateIdentity(update);
  ASSERT_TRUE(updated.ok()) << updated.error();
  EXPECT_EQ(updated->identity().etag(), "etag-of-1017");
  v1::RenameIdentityRequest rename;
  rename.set_new_identity_id("2042");
  const auto renamed = client->RenameIdentity(rename);
  ASSERT_TRUE(renamed.ok()) << renamed.error();
  EXPECT_EQ(renamed->identity().id(), "2042");
  v1::MergeIdentitiesRequest merge;
  merge.set_target_identity_id("1018");
  const auto merged = client->MergeIdentities(merge);
  ASSERT_TRUE(merged.ok()) << merged.error();
  EXPECT_EQ(merged->moved_templates(), 2U);
}

TEST(FacegateClientTest, DecodesReasonFieldAndMessageOfARefusal) {
  FakeServer server;
  const auto client = ConnectTo(server.target());
  const auto answer = client->Enroll(EnrollOf("1017", "-"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answer.error().reason, "NO_FACE");
  EXPECT_EQ(answer.error().field, "probe.image");
  EXPECT_EQ(answer.error().message, "no face was found");
  EXPECT_FALSE(answer.error().retry_after.has_value());
  EXPECT_FALSE(answer.error().unreachable());
}

TEST(FacegateClientTest, SaysThatNothingListens) {
  const auto client = ConnectTo(DeadTarget());
  const auto answer = client->GetServerInfo();
  ASSERT_FALSE(answer.ok());
  EXPECT_TRUE(answer.error().unreachable()) << answer.error();
}

TEST(FacegateClientTest, RefusesOptionsOutOfRange) {
  EXPECT_FALSE(FacegateClient::Connect({.target = ""}).ok());
  EXPECT_FALSE(FacegateClient::Connect({.timeout = milliseconds(0)}).ok());
  EXPECT_FALSE(FacegateClient::Connect({.max_message_bytes = 0}).ok());
}

TEST(FacegateClientTest, WaitsUntilTheServerIsReady) {
  FakeServer server;
  server.health.not_ready_for = 2;
  const auto client = ConnectTo(server.target());
  const auto ready = client->WaitUntilReady(std::chrono::seconds(30));
  ASSERT_TRUE(ready.ok()) << ready.error();
  EXPECT_TRUE(*ready);
}

// A script starts both together, as here.
TEST(FacegateClientTest, FindsAServerSoonAfterItStarts) {
  const std::string target = DeadTarget();
  const auto client = ConnectTo(target);
  ClientResult<bool> ready = false;
  std::chrono::steady_clock::time_point found;
  std::thread waiting([&] {
    ready = client->WaitUntilReady(std::chrono::seconds(30));
    found = std::chrono::steady_clock::now();
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const FakeServer server(target);
  const auto started = std::chrono::steady_clock::now();
  waiting.join();
  ASSERT_TRUE(ready.ok()) << ready.error();
  EXPECT_LT(found - started, std::chrono::seconds(4));
}

TEST(FacegateClientTest, GivesUpOnAServerThatIsNeverReady) {
  FakeServer server;
  server.health.not_ready_for = 1'000'000;
  const auto ready = ConnectTo(server.target())->WaitUntilReady(milliseconds(200));
  ASSERT_TRUE(ready.ok()) << ready.error();
  EXPECT_FALSE(*ready);
  EXPECT_FALSE(ConnectTo(DeadTarget())->WaitUntilReady(milliseconds(200)).ok());
}

TEST(DecodeErrorTest, KeepsCodeAndMessageOfDetailsThatDoNotParse) {
  const ClientError error =
      DecodeError(grpc::Status(grpc::StatusCode::NOT_FOUND, "gone", "\xFF\xFF\xFF not a message"));
  EXPECT_EQ(error.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(error.message, "gone");
  EXPECT_EQ(error.reason, "");
}

TEST(DecodeErrorTest, BoundsTheRetryDelay) {
  const auto retry_after = [](int64_t ms) {
    return DecodeError(FakeRefusal(grpc::StatusCode::UNAVAILABLE, "NOT_READY", "starting", "",
                                   milliseconds(ms)))
        .retry_after;
  };
  EXPECT_EQ(retry_after(1500), milliseconds(1500));
  EXPECT_EQ(retry_after(-5000), milliseconds(0));
  EXPECT_EQ(retry_after(1'000'000'000), std::chrono::hours(1));
}

TEST(DescribeTest, NamesReasonFieldAndDelay) {
  const std::string text =
      Describe(DecodeError(FakeRefusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL",
                                       "512 faces wait", "samples[0]", milliseconds(40))));
  EXPECT_EQ(text, "QUEUE_FULL: 512 faces wait (field samples[0]) (try again in 40 ms)");
}

TEST(DescribeTest, SaysThatTheServerMayBeOlder) {
  EXPECT_EQ(Describe({.code = grpc::StatusCode::UNIMPLEMENTED}),
            "UNIMPLEMENTED: the server does not know this call; it may be older than this program");
}

TEST(DescribeTest, NamesTheFieldOnce) {
  const std::string text =
      Describe(DecodeError(FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "IMAGE_UNDECODABLE",
                                       "probe.image: JPEG is truncated", "probe.image")));
  EXPECT_EQ(text, "IMAGE_UNDECODABLE: probe.image: JPEG is truncated");
}

// Fails with RetryInfo `failures` times, then answers 1.
ClientResult<int> FailUntil(int& calls, int failures) {
  if (calls++ < failures) {
    return ClientError{.code = grpc::StatusCode::RESOURCE_EXHAUSTED,
                       .reason = "QUEUE_FULL",
                       .retry_after = milliseconds(10)};
  }
  return 1;
}

TEST(CallWithRetryTest, WaitsLongerAfterEachRefusal) {
  std::vector<milliseconds> waits;
  int calls = 0;
  const auto answer = CallWithRetry([&] { return FailUntil(calls, 3); },
                                    {.sleep = [&](milliseconds wait) { waits.push_back(wait); }});
  EXPECT_TRUE(answer.ok());
  EXPECT_THAT(waits, ElementsAre(milliseconds(10), milliseconds(20), milliseconds(30)));
}

TEST(CallWithRetryTest, LosesPatience) {
  int calls = 0;
  const auto answer = CallWithRetry([&] { return FailUntil(calls, 1000); },
                                    {.patience = milliseconds(100), .sleep = [](milliseconds) {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "QUEUE_FULL");
  EXPECT_EQ(calls, 5);  // after waits of 10, 20, 30 and 40
}

TEST(CallWithRetryTest, DoesNotRepeatARefusalWithoutRetryInfo) {
  int calls = 0;
  const auto answer = CallWithRetry([&]() -> ClientResult<int> {
    ++calls;
    return ClientError{.code = grpc::StatusCode::NOT_FOUND};
  });
  EXPECT_FALSE(answer.ok());
  EXPECT_EQ(calls, 1);
}

// Fails `failures` times because the connection broke, then answers 1.
ClientResult<int> BreakUntil(int& calls, int failures) {
  if (calls++ < failures) return ClientError{.code = grpc::StatusCode::UNAVAILABLE};
  return 1;
}

TEST(CallWithRetryTest, SendsAgainAfterABrokenConnectionWhereThatIsSafe) {
  std::vector<milliseconds> waits;
  const RetryOptions options{.broken_connections = 2,
                             .sleep = [&](milliseconds wait) { waits.push_back(wait); }};
  int calls = 0;
  EXPECT_TRUE(CallWithRetry([&] { return BreakUntil(calls, 2); }, options).ok());
  EXPECT_THAT(waits, ElementsAre(milliseconds(200), milliseconds(400)));
  calls = 0;
  EXPECT_FALSE(CallWithRetry([&] { return BreakUntil(calls, 3); }, options).ok());
  EXPECT_EQ(calls, 3);
}

TEST(CallWithRetryTest, DoesNotSendAgainAfterABrokenConnectionUnlessAsked) {
  int calls = 0;
  EXPECT_FALSE(CallWithRetry([&] { return BreakUntil(calls, 1); }).ok());
  EXPECT_EQ(calls, 1);
}

TEST(MakeRequestIdTest, MakesRandomUuidsOfVersionFour) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = MakeRequestId();
    ASSERT_THAT(id, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                 "[0-9a-f]{12}"));
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000U);
  // Every digit that is free takes every value.
  for (size_t place = 0; place < 36; ++place) {
    std::set<char> digits;
    for (const std::string& id : ids) digits.insert(id[place]);
    const bool dash = place == 8 || place == 13 || place == 18 || place == 23;
    const size_t expected = dash || place == 14 ? 1 : place == 19 ? 4 : 16;
    EXPECT_EQ(digits.size(), expected) << "at " << place;
  }
}

}  // namespace
}  // namespace facegate
