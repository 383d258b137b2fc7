#include "server/app.h"

#include <gmock/gmock.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/base/log.h"
#include "tests/server/app_fixture.h"
#include "tests/support/fake_clock.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

std::vector<std::string> ServiceNames() {
  return {"", "facegate.v1.FaceService", "facegate.v1.GalleryService", "facegate.v1.AdminService"};
}

TEST_F(AppTest, RefusesCallsUntilItHasLoaded) {
  Open();
  for (const std::string& service : ServiceNames()) {
    EXPECT_EQ(HealthOf(service), Health::NOT_SERVING) << service;
  }
  const grpc::Status early = Embed(PatternPng(1));
  EXPECT_EQ(early.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(early), "NOT_READY");
  EXPECT_TRUE(Detail<google::rpc::RetryInfo>(early).has_value());

  ASSERT_THAT(app_->Load([] { return false; }), IsOk());
  for (const std::string& service : ServiceNames()) {
    EXPECT_EQ(HealthOf(service), Health::SERVING) << service;
  }
  EXPECT_EQ(HealthOf("facegate.v1.NoService"), Health::SERVICE_UNKNOWN);
  EXPECT_TRUE(Embed(PatternPng(1)).ok());
}

TEST_F(AppTest, EnrolsAndIdentifiesAlsoAfterARestart) {
  Serve();
  {
    grpc::ClientContext context;
    v1::CreateCollectionRequest request;
    request.set_collection_id("staff");
    v1::CreateCollectionResponse response;
    ASSERT_TRUE(gallery_->CreateCollection(&context, request, &response).ok());
  }
  {
    grpc::ClientContext context;
    v1::EnrollRequest request;
    request.set_collection_id("staff");
    request.set_identity_id("7");
    request.add_samples()->set_image(PatternPng(1));
    v1::EnrollResponse response;
    ASSERT_TRUE(face_->Enroll(&context, request, &response).ok());
  }
  for (const bool restart : {false, true}) {
    if (restart) {
      app_->Stop(1s);
      app_.reset();
      Serve();
    }
    grpc::ClientContext context;
    v1::IdentifyRequest request;
    request.set_collection_id("staff");
    request.mutable_probe()->set_image(PatternPng(1));
    v1::IdentifyResponse response;
    const grpc::Status status = face_->Identify(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(response.results(0).candidates_size(), 1);
    EXPECT_EQ(response.results(0).candidates(0).identity_id(), "7");
    EXPECT_EQ(response.basis().source(), v1::OPERATING_POINT_SOURCE_MODEL_CARD);
  }
}

TEST_F(AppTest, TellsWhatItIs) {
  Serve();
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(admin_->GetServerInfo(&context, {}, &info).ok());
  EXPECT_THAT(info.version(), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_GT(info.start_time().seconds(), 1'600'000'000);
  EXPECT_EQ(info.model().architecture(), "fake");
  EXPECT_EQ(info.model().embedding_size(), 48u);
  EXPECT_EQ(info.model().crop_width(), 112u);
  EXPECT_EQ(info.model().crop_height(), 112u);
  EXPECT_EQ(info.model().alignment(), "arcface-112x112");
  EXPECT_EQ(info.model().default_min_cosine(), 0.5f);
  EXPECT_EQ(info.model().model_digest().size(), 64u);
  EXPECT_EQ(info.detector(), "fake");
  EXPECT_EQ(info.limits().max_image_bytes(), 64u * 1024);
  EXPECT_EQ(info.limits().max_message_bytes(), 4u * 64 * 1024 + (1 << 20));
  EXPECT_FALSE(info.security().encryption_at_rest());
  EXPECT_FALSE(info.security().tls());
  EXPECT_EQ(info.compute().device(), "cpu");
  EXPECT_EQ(info.compute().model_threads(), 3u);
  EXPECT_EQ(info.compute().max_batch(), 8u);
  EXPECT_EQ(info.search_device(), "cpu");
  EXPECT_EQ(info.templates_on_card(), 0u);
  EXPECT_EQ(info.identity_count(), 0u);
}

TEST_F(AppTest, ARefusalCarriesItsReasonAndField) {
  Serve();
  const grpc::Status status = Embed("no image");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "IMAGE_UNDECODABLE");
  EXPECT_EQ(Detail<google::rpc::ErrorInfo>(status)->domain(), "facegate");
  const auto bad = Detail<google::rpc::BadRequest>(status);
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->field_violations(0).field(), "probe.aligned_crop");
}

TEST_F(AppTest, ItsOwnImageLimitAnswersBeforeGrpcsMessageLimit) {
  Serve();
  const grpc::Status image = Embed(std::string(config_.max_image_bytes + 1, 'x'));
  EXPECT_EQ(image.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(image), "IMAGE_TOO_LARGE");
  const auto limit = static_cast<size_t>(EffectiveMaxMessageBytes(config_));
  EXPECT_EQ(ReasonIn(Embed(std::string(limit - 1000, 'x'))), "IMAGE_TOO_LARGE");
  const grpc::Status message = Embed(std::string(limit + 1, 'x'));
  EXPECT_EQ(message.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(message), "no ErrorInfo");
}

TEST_F(AppTest, AnInternalErrorKeepsItsTextFromTheClient) {
  Serve();
  embedder_->FailWith(Internal("secret"));
  const grpc::Status status = Embed(PatternPng(1));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonIn(status), "INTERNAL");
  EXPECT_THAT(status.error_message(), Not(HasSubstr("secret")));
  EXPECT_FALSE(Detail<google::rpc::ErrorInfo>(status)->metadata().at("request_id").empty());
}

TEST_F(AppTest, LogsEachCallWhenAskedTo) {
  Serve();
  SetLogLevel(LogLevel::kDebug);
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(Embed(PatternPng(1)).ok());
  EXPECT_FALSE(Embed("no image").ok());
  app_->Stop(1s);
  const std::string log = ::testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_THAT(log, ::testing::ContainsRegex("Embed: OK after [0-9.]+ ms, of [0-9]+ bytes"));
  EXPECT_THAT(log, HasSubstr("Embed: IMAGE_UNDECODABLE after"));
}

TEST_F(AppTest, ASecondServerOnTheStoreIsRefusedBeforeItLoadsAModel) {
  Serve();
  Parts parts = FakeParts();
  bool loaded = false;
  parts.load_model = [&](const Config&) -> StatusOr<std::unique_ptr<Embedder>> {
    loaded = true;
    return Internal("not reached");
  };
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto second,
                                App::Create(config_, std::move(parts), Clock::System()));
  EXPECT_THAT(second->Load([] { return false; }), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(loaded);
}

TEST_F(AppTest, HealthTellsThatNothingCanBeStored) {
  Serve();
  write_health_(Refuse(Reason::kStoreFull, "the disk is full"));
  EXPECT_EQ(HealthOf("facegate.v1.GalleryService"), Health::NOT_SERVING);
  EXPECT_EQ(HealthOf("facegate.v1.FaceService"), Health::SERVING);
  EXPECT_EQ(HealthOf(""), Health::SERVING);
  write_health_(OkStatus());
  EXPECT_EQ(HealthOf("facegate.v1.GalleryService"), Health::SERVING);
}

TEST_F(AppTest, AStoreThatDoesNotRecoverIsAFailureAndAFullDiskIsNot) {
  FakeClock clock;
  FACEGATE_ASSERT_OK_AND_ASSIGN(app_, App::Create(config_, FakeParts(), clock));
  ASSERT_THAT(app_->Load([] { return false; }), IsOk());
  write_health_(Refuse(Reason::kStoreFull, "the disk is full"));
  clock.Advance(std::chrono::hours(1));
  EXPECT_THAT(app_->Failure(), IsOk());
  write_health_(Internal("the disk has failed"));
  EXPECT_THAT(app_->Failure(), IsOk()) << "it may recover by itself";
  clock.Advance(std::chrono::minutes(1));
  EXPECT_THAT(app_->Failure(), StatusIs(StatusCode::kInternal));
  app_.reset();  // before its clock
}

// The status of an empty reflection stream.
grpc::StatusCode ReflectionStatus(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  step();
  call->WritesDone(nullptr);
  step();
  grpc::Status status;
  call->Finish(&status, nullptr);
  step();
  return status.error_code();
}

TEST_F(AppTest, OffersReflection) {
  Serve();
  EXPECT_EQ(ReflectionStatus(channel_), grpc::StatusCode::OK);
}

TEST_F(AppTest, OffersNoReflectionWhereItIsSwitchedOff) {
  config_.reflection = false;
  Serve();
  EXPECT_EQ(ReflectionStatus(channel_), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Embed(PatternPng(1)).ok());
}

TEST_F(AppTest, RefusesAPortThatIsInUse) {
  Open();
  Config second = config_;
  second.listen = "127.0.0.1:" + std::to_string(app_->port());
  const auto other = App::Create(second, FakeParts(), Clock::System());
  EXPECT_THAT(other, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(MessageOf(other.status())), HasSubstr(second.listen));
}

TEST_F(AppTest, FailsWhereTheCardIsLost) {
  Serve();
  EXPECT_THAT(app_->Failure(), IsOk());
  embedder_->set_health(Unavailable("the card is lost to this process"));
  EXPECT_THAT(app_->Failure(), StatusIs(StatusCode::kUnavailable));
}

TEST_F(AppTest, ReportsWhatDoesNotLoad) {
  Parts parts = FakeParts();
  parts.load_model = [](const Config&) -> StatusOr<std::unique_ptr<Embedder>> {
    return InvalidArgument("no such model");
  };
  FACEGATE_ASSERT_OK_AND_ASSIGN(app_, App::Create(config_, std::move(parts), Clock::System()));
  EXPECT_THAT(app_->Load([] { return false; }), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
