#include "clients/cpp/facegate_client.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "clients/cpp/rpc_error.h"
#include "clients/cpp/target.h"
#include "facegate/v1/admin_service.grpc.pb.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "facegate/v1/gallery_service.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace facegate {
namespace {

namespace health = grpc::health::v1;

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

grpc::ChannelArguments ChannelArgumentsOf(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_message_bytes);
  arguments.SetMaxSendMessageSize(options.max_message_bytes);
  // Photos go straight to the server, never through a proxy that the environment names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A server that restarts is found again within a second, not after gRPC's two minutes. What gRPC
  // calls the least backoff is also how long one attempt to connect may take: a busy server must
  // have that time to answer.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return arguments;
}

template <typename Stub, typename Request, typename Response>
ClientResult<Response> CallOnce(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, milliseconds timeout) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return DecodeError(status);
  return response;
}

}  // namespace

struct FacegateClient::Impl {
  Impl(std::shared_ptr<grpc::Channel> to_server, milliseconds call_timeout)
      : channel(std::move(to_server)),
        timeout(call_timeout),
        face(v1::FaceService::NewStub(channel)),
        gallery(v1::GalleryService::NewStub(channel)),
        admin(v1::AdminService::NewStub(channel)),
        health_stub(health::Health::NewStub(channel)) {}

  template <typename Stub, typename Request, typename Response>
  ClientResult<Response> Call(const std::unique_ptr<Stub>& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) const {
    LookForConnection(timeout);
    return CallOnce(*stub, method, request, timeout);
  }

  ClientResult<bool> CheckHealth(milliseconds patience) const {
    LookForConnection(patience);
    const auto answer = CallOnce(*health_stub, &health::Health::Stub::Check,
                                 health::HealthCheckRequest(), patience);
    if (!answer.ok()) return answer.error();
    return answer->status() == health::HealthCheckResponse::SERVING;
  }

  // gRPC tries again by itself where an attempt to connect has failed, but what comes of it is seen
  // at once by a thread that waits inside gRPC only, and otherwise up to five seconds later.
  void LookForConnection(milliseconds most) const {
    constexpr milliseconds kLook(50);
    if (channel->GetState(false) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
    channel->WaitForConnected(std::chrono::system_clock::now() + std::min(most, kLook));
  }

  const std::shared_ptr<grpc::Channel> channel;
  const milliseconds timeout;
  // Stubs are safe to use from several threads and share the channel.
  const std::unique_ptr<v1::FaceService::Stub> face;
  const std::unique_ptr<v1::GalleryService::Stub> gallery;
  const std::unique_ptr<v1::AdminService::Stub> admin;
  const std::unique_ptr<health::Health::Stub> health_stub;
};

FacegateClient::FacegateClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FacegateClient::~FacegateClient() = default;

ClientResult<std::unique_ptr<FacegateClient>> FacegateClient::Connect(
    const ClientOptions& options) {
  const auto refuse = [](std::string message) {
    return ClientError{.code = grpc::StatusCode::INVALID_ARGUMENT, .message = std::move(message)};
  };
  if (auto wrong = WrongWithTarget(options.target); wrong.has_value()) return refuse(*wrong);
  if (options.timeout <= milliseconds(0)) {
    return refuse(
        fmt::format("the timeout is {} ms; expected more than 0", options.timeout.count()));
  }
  if (options.max_message_bytes < 1) {
    return refuse(
        fmt::format("max_message_bytes is {}; expected 1 or more", options.max_message_bytes));
  }
  auto channel = grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(),
                                           ChannelArgumentsOf(options));
  return std::unique_ptr<FacegateClient>(
      new FacegateClient(std::make_unique<Impl>(std::move(channel), options.timeout)));
}

ClientResult<v1::EnrollResponse> FacegateClient::Enroll(const v1::EnrollRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Enroll, request);
}
ClientResult<v1::VerifyResponse> FacegateClient::Verify(const v1::VerifyRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Verify, request);
}
ClientResult<v1::IdentifyResponse> FacegateClient::Identify(const v1::IdentifyRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Identify, request);
}
ClientResult<v1::EmbedResponse> FacegateClient::Embed(const v1::EmbedRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Embed, request);
}
ClientResult<v1::DetectResponse> FacegateClient::Detect(const v1::DetectRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Detect, request);
}
ClientResult<v1::CompareResponse> FacegateClient::Compare(const v1::CompareRequest& request) {
  return impl_->Call(impl_->face, &v1::FaceService::Stub::Compare, request);
}

ClientResult<v1::CreateCollectionResponse> FacegateClient::CreateCollection(
    const v1::CreateCollectionRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::CreateCollection, request);
}
ClientResult<v1::GetCollectionResponse> FacegateClient::GetCollection(
    const v1::GetCollectionRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::GetCollection, request);
}
ClientResult<v1::ListCollectionsResponse> FacegateClient::ListCollections(
    const v1::ListCollectionsRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::ListCollections, request);
}
ClientResult<v1::GetCalibrationResponse> FacegateClient::GetCalibration(
    const v1::GetCalibrationRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::GetCalibration, request);
}

ClientResult<v1::UpdateCollectionResponse> FacegateClient::UpdateCollection(
    const v1::UpdateCollectionRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::UpdateCollection, request);
}
ClientResult<v1::DeleteCollectionResponse> FacegateClient::DeleteCollection(
    const v1::DeleteCollectionRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::DeleteCollection, request);
}
ClientResult<v1::GetIdentityResponse> FacegateClient::GetIdentity(
    const v1::GetIdentityRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::GetIdentity, request);
}
ClientResult<v1::ListIdentitiesResponse> FacegateClient::ListIdentities(
    const v1::ListIdentitiesRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::ListIdentities, request);
}
ClientResult<v1::UpdateIdentityResponse> FacegateClient::UpdateIdentity(
    const v1::UpdateIdentityRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::UpdateIdentity, request);
}
ClientResult<v1::RenameIdentityResponse> FacegateClient::RenameIdentity(
    const v1::RenameIdentityRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::RenameIdentity, request);
}
ClientResult<v1::MergeIdentitiesResponse> FacegateClient::MergeIdentities(
    const v1::MergeIdentitiesRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::MergeIdentities, request);
}
ClientResult<v1::DeleteIdentityResponse> FacegateClient::DeleteIdentity(
    const v1::DeleteIdentityRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::DeleteIdentity, request);
}
ClientResult<v1::ListTemplatesResponse> FacegateClient::ListTemplates(
    const v1::ListTemplatesRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::ListTemplates, request);
}
ClientResult<v1::DeleteTemplateResponse> FacegateClient::DeleteTemplate(
    const v1::DeleteTemplateRequest& request) {
  return impl_->Call(impl_->gallery, &v1::GalleryService::Stub::DeleteTemplate, request);
}

ClientResult<v1::GetServerInfoResponse> FacegateClient::GetServerInfo() {
  return impl_->Call(impl_->admin, &v1::AdminService::Stub::GetServerInfo,
                     v1::GetServerInfoRequest());
}

ClientResult<bool> FacegateClient::IsReady() { return impl_->CheckHealth(impl_->timeout); }

ClientResult<bool> FacegateClient::WaitUntilReady(milliseconds patience) {
  constexpr milliseconds kPause(50);
  const Clock::time_point end = Clock::now() + patience;
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    ClientResult<bool> ready =
        impl_->CheckHealth(std::clamp(left, kPause, std::max(impl_->timeout, kPause)));
    const bool done = ready.ok() ? ready.value() : !ready.error().unreachable();
    if (done || Clock::now() + kPause >= end) return ready;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace facegate
