#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "facegate/v1/admin_service.grpc.pb.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "facegate/v1/gallery_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "index/local/local_gallery.h"
#include "server/app.h"
#include "tests/support/fake_detector.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {

// A whole server on a loopback port in the test's own process, with a fake model and detector and a
// real gallery; and a client of it.
class AppTest : public ::testing::Test {
 protected:
  using Health = grpc::health::v1::HealthCheckResponse;

  AppTest() {
    config_.listen = "127.0.0.1:0";
    config_.data_dir = dir_.File("data");
    config_.model = "fake";
    config_.max_image_bytes = 64 * 1024;
    config_.worker_threads = 4;
  }

  Parts FakeParts() {
    return {.load_model = [this](const Config&) -> StatusOr<std::unique_ptr<Embedder>> {
              auto embedder = std::make_unique<FakeEmbedder>();
              embedder->mutable_card().default_min_cosine = 0.5f;
              embedder_ = embedder.get();
              return embedder;
            },
            .load_detector = [](const Config&) -> StatusOr<std::unique_ptr<Detector>> {
              return std::make_unique<FakeDetector>();
            },
            // Pattern pictures are no faces, so nobody asks how good they are.
            .load_quality_meter = nullptr,
            .open_gallery = [this](const Config& config, Clock& clock, WriteHealthListener listener)
                -> StatusOr<std::unique_ptr<GalleryBackend>> {
              write_health_ = listener;
              return OpenLocalGallery(
                  {.directory = config.data_dir, .on_write_health = std::move(listener)}, clock);
            },
            .check_machine = nullptr};
  }

  // Opens the port, but does not load.
  void Open() { Open(FakeParts()); }
  void Open(Parts parts) {
    auto app = App::Create(config_, std::move(parts), Clock::System());
    ASSERT_TRUE(app.ok()) << app.status();
    app_ = std::move(app).value();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(app_->port()),
                                   grpc::InsecureChannelCredentials());
    face_ = v1::FaceService::NewStub(channel_);
    gallery_ = v1::GalleryService::NewStub(channel_);
    admin_ = v1::AdminService::NewStub(channel_);
    health_ = grpc::health::v1::Health::NewStub(channel_);
  }
  void Serve() {
    ASSERT_NO_FATAL_FAILURE(Open());
    ASSERT_THAT(app_->Load([] { return false; }), IsOk());
  }

  Health::ServingStatus HealthOf(const std::string& service) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    Health response;
    const grpc::Status status = health_->Check(&context, request, &response);
    return status.ok() ? response.status() : Health::SERVICE_UNKNOWN;
  }
  grpc::Status Embed(grpc::ClientContext& context, const std::string& crop,
                     v1::EmbedResponse* response) {
    v1::EmbedRequest request;
    request.mutable_probe()->set_aligned_crop(crop);
    return face_->Embed(&context, request, response);
  }
  grpc::Status Embed(const std::string& crop) {
    grpc::ClientContext context;
    v1::EmbedResponse response;
    return Embed(context, crop, &response);
  }

  // The detail of type T that a status carries.
  template <typename T>
  static std::optional<T> Detail(const grpc::Status& status) {
    google::rpc::Status details;
    if (!details.ParseFromString(status.error_details())) return std::nullopt;
    for (const auto& any : details.details()) {
      T message;
      if (any.UnpackTo(&message)) return message;
    }
    return std::nullopt;
  }
  static std::string ReasonIn(const grpc::Status& status) {
    const auto info = Detail<google::rpc::ErrorInfo>(status);
    return info.has_value() ? info->reason() : "no ErrorInfo";
  }

  TempDir dir_;
  Config config_;
  FakeEmbedder* embedder_ = nullptr;  // of the app, once it has loaded
  WriteHealthListener write_health_;  // of the app, as its gallery calls it
  std::unique_ptr<App> app_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::FaceService::Stub> face_;
  std::unique_ptr<v1::GalleryService::Stub> gallery_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

}  // namespace facegate
