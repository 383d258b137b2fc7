#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "clients/cpp/client_result.h"
#include "facegate/v1/admin_service.pb.h"
#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/gallery_service.pb.h"

namespace facegate {

struct ClientOptions {
  // HOST:PORT, or another target that gRPC knows; see clients/cpp/target.h.
  std::string target = "127.0.0.1:50051";
  // The time of one call, from sending to the whole answer.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  // The largest message in either direction; what the server takes is in ServerInfo.limits.
  int max_message_bytes = 64 << 20;
};

// A connection to a facegate server: one method for each call of the contract
// (protos/facegate/v1), which blocks until the answer, an error or the timeout. Thread-safe: calls
// of several threads share the connection and run side by side.
//
// The connection is made by the first call and again after it broke; while nothing listens, calls
// fail within 50 ms with an error that is unreachable(). Nothing is retried here; see CallWithRetry
// (clients/cpp/retry.h), and MakeRequestId (clients/cpp/request_id.h) for writes that may be sent
// again. It is neither encrypted nor authenticated: the server offers no TLS yet.
class FacegateClient {
 public:
  // INVALID_ARGUMENT for options out of range. Does not wait for the server.
  static ClientResult<std::unique_ptr<FacegateClient>> Connect(const ClientOptions& options);
  ~FacegateClient();
  FacegateClient(const FacegateClient&) = delete;
  FacegateClient& operator=(const FacegateClient&) = delete;

  ClientResult<v1::EnrollResponse> Enroll(const v1::EnrollRequest& request);
  ClientResult<v1::VerifyResponse> Verify(const v1::VerifyRequest& request);
  ClientResult<v1::IdentifyResponse> Identify(const v1::IdentifyRequest& request);
  ClientResult<v1::EmbedResponse> Embed(const v1::EmbedRequest& request);
  ClientResult<v1::DetectResponse> Detect(const v1::DetectRequest& request);
  ClientResult<v1::CompareResponse> Compare(const v1::CompareRequest& request);

  ClientResult<v1::CreateCollectionResponse> CreateCollection(
      const v1::CreateCollectionRequest& request);
  ClientResult<v1::GetCollectionResponse> GetCollection(const v1::GetCollectionRequest& request);
  ClientResult<v1::ListCollectionsResponse> ListCollections(
      const v1::ListCollectionsRequest& request);
  ClientResult<v1::UpdateCollectionResponse> UpdateCollection(
      const v1::UpdateCollectionRequest& request);
  ClientResult<v1::GetCalibrationResponse> GetCalibration(const v1::GetCalibrationRequest& request);
  ClientResult<v1::DeleteCollectionResponse> DeleteCollection(
      const v1::DeleteCollectionRequest& request);
  ClientResult<v1::GetIdentityResponse> GetIdentity(const v1::GetIdentityRequest& request);
  ClientResult<v1::ListIdentitiesResponse> ListIdentities(const v1::ListIdentitiesRequest& request);
  ClientResult<v1::UpdateIdentityResponse> UpdateIdentity(const v1::UpdateIdentityRequest& request);
  ClientResult<v1::RenameIdentityResponse> RenameIdentity(const v1::RenameIdentityRequest& request);
  ClientResult<v1::MergeIdentitiesResponse> MergeIdentities(
      const v1::MergeIdentitiesRequest& request);
  ClientResult<v1::DeleteIdentityResponse> DeleteIdentity(const v1::DeleteIdentityRequest& request);
  ClientResult<v1::ListTemplatesResponse> ListTemplates(const v1::ListTemplatesRequest& request);
  ClientResult<v1::DeleteTemplateResponse> DeleteTemplate(const v1::DeleteTemplateRequest& request);

  ClientResult<v1::GetServerInfoResponse> GetServerInfo();

  // True when the server takes calls now (grpc.health.v1, the server as a whole): false while it
  // starts or stops.
  ClientResult<bool> IsReady();
  // Returns true as soon as the server takes calls; the last error, or false for a server that
  // answers but is not ready, when `patience` has passed.
  ClientResult<bool> WaitUntilReady(std::chrono::milliseconds patience);

 private:
  struct Impl;
  explicit FacegateClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace facegate
