#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facegate/v1/admin_service.grpc.pb.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "facegate/v1/gallery_service.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace facegate {

// A refusal as the real server makes it: google.rpc.Status in the trailing metadata.
grpc::Status FakeRefusal(grpc::StatusCode code, const std::string& reason,
                         const std::string& message, const std::string& field = "",
                         std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

// A client sees this of a call whose answer got lost on the way.
grpc::Status LostAnswer();

// A JPEG begins with this.
inline constexpr char kJpegStart[] = "\xff\xd8\xff";
// HEIC and AVIF pictures begin with this; the server here does not read HEIC.
inline constexpr std::string_view kHeicStart(
    "\0\0\0\x18"
    "ftypheic\0\0\0\0mif1heic",
    24);
inline constexpr std::string_view kAvifStart(
    "\0\0\0\x18"
    "ftypavif\0\0\0\0mif1avif",
    24);

// The person in a photo is the photo's first byte, or the first after kJpegStart; two photos are as
// alike as their persons are the same. A photo of '-' has no face, one of '=' has two,
// that of '~' is too small to be compared, and that of '^' is good enough for the first collection
// alone.
class FakeFaceService : public v1::FaceService::Service {
 public:
  grpc::Status Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request,
                      v1::EnrollResponse* response) override;
  grpc::Status Verify(grpc::ServerContext* context, const v1::VerifyRequest* request,
                      v1::VerifyResponse* response) override;
  grpc::Status Identify(grpc::ServerContext* context, const v1::IdentifyRequest* request,
                        v1::IdentifyResponse* response) override;
  grpc::Status Embed(grpc::ServerContext* context, const v1::EmbedRequest* request,
                     v1::EmbedResponse* response) override;
  grpc::Status Detect(grpc::ServerContext* context, const v1::DetectRequest* request,
                      v1::DetectResponse* response) override;
  grpc::Status Compare(grpc::ServerContext* context, const v1::CompareRequest* request,
                       v1::CompareResponse* response) override;

  // Enroll and Identify refuse so many calls with QUEUE_FULL and a short RetryInfo before they
  // work.
  std::atomic<int> full_for = 0;
  // So many calls of Enroll are carried out, but their answers are lost with the connection.
  std::atomic<int> lost_answers = 0;
  // Enroll says that the server shuts down, without a reason, when so many photos are enrolled.
  std::atomic<int> unavailable_after = 1'000'000;

  std::vector<v1::EnrollRequest> enroll_requests() const;
  v1::IdentifyRequest last_identify() const;
  // Persons by identity id.
  std::map<std::string, std::vector<char>> enrolled() const;
  // The source_digest of each template of an identity.
  std::vector<std::string> digests(const std::string& identity) const;

 private:
  mutable std::mutex mutex_;
  std::vector<v1::EnrollRequest> enroll_requests_;
  v1::IdentifyRequest last_identify_;
  std::map<std::string, std::vector<char>> enrolled_;
  std::map<std::string, std::vector<std::string>> digests_;
  std::map<std::string, v1::EnrollResponse> answers_;  // by request_id
};

// Collections that keep nothing, each with `identity_count` identities "id0", "id1", …, in pages of
// three. Writes are answered as if they had been made, and kept to be looked at. The identities
// that `face` enrolled are there with their templates, and with the labels that were set; the
// identity "1017" is always there.
class FakeGalleryService : public v1::GalleryService::Service {
 public:
  explicit FakeGalleryService(const FakeFaceService& face) : face_(face) {}

  grpc::Status CreateCollection(grpc::ServerContext* context,
                                const v1::CreateCollectionRequest* request,
                                v1::CreateCollectionResponse* response) override;
  // ETAG_MISMATCH for the etag "old"; REQUEST_IN_PROGRESS with RetryInfo for `in_progress` calls.
  grpc::Status UpdateCollection(grpc::ServerContext* context,
                                const v1::UpdateCollectionRequest* request,
                                v1::UpdateCollectionResponse* response) override;
  // Two rows, a default and a warning; of the model card where that is asked for.
  grpc::Status GetCalibration(grpc::ServerContext* context,
                              const v1::GetCalibrationRequest* request,
                              v1::GetCalibrationResponse* response) override;
  grpc::Status DeleteCollection(grpc::ServerContext* context,
                                const v1::DeleteCollectionRequest* request,
                                v1::DeleteCollectionResponse* response) override;
  grpc::Status GetIdentity(grpc::ServerContext* context, const v1::GetIdentityRequest* request,
                           v1::GetIdentityResponse* response) override;
  grpc::Status ListIdentities(grpc::ServerContext* context,
                              const v1::ListIdentitiesRequest* request,
                              v1::ListIdentitiesResponse* response) override;
  // ETAG_MISMATCH for the etag "old".
  grpc::Status UpdateIdentity(grpc::ServerContext* context,
                              const v1::UpdateIdentityRequest* request,
                              v1::UpdateIdentityResponse* response) override;
  // Loses the answers of `lost_answers` calls.
  grpc::Status RenameIdentity(grpc::ServerContext* context,
                              const v1::RenameIdentityRequest* request,
                              v1::RenameIdentityResponse* response) override;
  grpc::Status MergeIdentities(grpc::ServerContext* context,
                               const v1::MergeIdentitiesRequest* request,
                               v1::MergeIdentitiesResponse* response) override;
  grpc::Status DeleteIdentity(grpc::ServerContext* context,
                              const v1::DeleteIdentityRequest* request,
                              v1::DeleteIdentityResponse* response) override;
  // Pages of three.
  grpc::Status ListTemplates(grpc::ServerContext* context, const v1::ListTemplatesRequest* request,
                             v1::ListTemplatesResponse* response) override;
  grpc::Status DeleteTemplate(grpc::ServerContext* context,
                              const v1::DeleteTemplateRequest* request,
                              v1::DeleteTemplateResponse* response) override;

  int identity_count = 7;
  // GetIdentity finds identities in this collection alone; empty: in all.
  std::string identities_in{};
  std::atomic<int> lost_answers = 0;
  std::atomic<int> in_progress = 0;

  // The request_ids of all writes.
  std::vector<std::string> request_ids() const;
  v1::UpdateIdentityRequest last_update() const;
  v1::UpdateCollectionRequest last_collection_update() const;
  // The labels that were set of an identity.
  std::map<std::string, std::string> labels(const std::string& identity) const;
  v1::RenameIdentityRequest last_rename() const;
  v1::MergeIdentitiesRequest last_merge() const;

 private:
  void Note(const std::string& request_id);

  const FakeFaceService& face_;
  mutable std::mutex mutex_;
  std::vector<std::string> request_ids_;
  v1::UpdateIdentityRequest last_update_;
  v1::UpdateCollectionRequest last_collection_update_;
  v1::RenameIdentityRequest last_rename_;
  v1::MergeIdentitiesRequest last_merge_;
  std::map<std::string, std::map<std::string, std::string>> labels_;  // by identity id
};

class FakeAdminService : public v1::AdminService::Service {
 public:
  grpc::Status GetServerInfo(grpc::ServerContext* context, const v1::GetServerInfoRequest* request,
                             v1::GetServerInfoResponse* response) override;
};

class FakeHealthService : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context,
                     const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;

  // Not ready for so many checks.
  std::atomic<int> not_ready_for = 0;
};

// All of them on a free loopback port, in this process.
class FakeServer {
 public:
  // The system chooses the port, unless one is given.
  explicit FakeServer(const std::string& address = "127.0.0.1:0");
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  const std::string& target() const { return target_; }

  FakeFaceService face;
  FakeGalleryService gallery{face};
  FakeAdminService admin;
  FakeHealthService health;

 private:
  std::string target_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace facegate
