#pragma once

#include <grpcpp/server_builder.h>

#include <array>
#include <string>

#include "facegate/v1/admin_service.grpc.pb.h"
#include "facegate/v1/face_service.grpc.pb.h"
#include "facegate/v1/gallery_service.grpc.pb.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/face_service.h"
#include "server/rpc/gallery_service.h"
#include "server/rpc/slow_request.h"
#include "server/rpc/unary_call.h"

namespace facegate {

// The services as gRPC sees them: each method is a UnaryCall to the plain function of the same
// name. They are registered before what they call exists, so that the port can open early; the gate
// keeps calls out until Attach() and Open().
class GrpcServices {
 public:
  // The lanes of calls; all they refer to must outlive the gRPC server. None waits for another:
  // a call without a picture is quick, however many pictures queue.
  struct Lanes {
    CallRuntime pictures;  // FaceService with a picture or a crop to decode; calibrations
    CallRuntime vectors;   // FaceService, with embeddings and stored templates alone
    CallRuntime gallery;   // GalleryService and AdminService
  };
  explicit GrpcServices(const Lanes& lanes);

  void RegisterWith(grpc::ServerBuilder& builder);
  // Is called before the gate opens. The services must outlive the gRPC server.
  void Attach(FaceService& face, GalleryService& gallery, AdminService& admin);

  // Full names, for the health service.
  static std::array<std::string, 3> Names();

 private:
  class Face final : public v1::FaceService::CallbackService {
   public:
    Face(const CallRuntime& pictures, const CallRuntime& vectors)
        : pictures_(pictures), vectors_(vectors) {}
    void Attach(FaceService& service) { service_ = &service; }

    grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                     const v1::EnrollRequest* request,
                                     v1::EnrollResponse* response) override;
    grpc::ServerUnaryReactor* Verify(grpc::CallbackServerContext* context,
                                     const v1::VerifyRequest* request,
                                     v1::VerifyResponse* response) override;
    grpc::ServerUnaryReactor* Identify(grpc::CallbackServerContext* context,
                                       const v1::IdentifyRequest* request,
                                       v1::IdentifyResponse* response) override;
    grpc::ServerUnaryReactor* Embed(grpc::CallbackServerContext* context,
                                    const v1::EmbedRequest* request,
                                    v1::EmbedResponse* response) override;
    grpc::ServerUnaryReactor* Detect(grpc::CallbackServerContext* context,
                                     const v1::DetectRequest* request,
                                     v1::DetectResponse* response) override;
    grpc::ServerUnaryReactor* Compare(grpc::CallbackServerContext* context,
                                      const v1::CompareRequest* request,
                                      v1::CompareResponse* response) override;

   private:
    template <typename Request>
    const CallRuntime& LaneOf(const Request& request) const {
      return IsSlow(request) ? pictures_ : vectors_;
    }

    const CallRuntime pictures_;
    const CallRuntime vectors_;
    FaceService* service_ = nullptr;
  };

  class Gallery final : public v1::GalleryService::CallbackService {
   public:
    Gallery(const CallRuntime& runtime, const CallRuntime& slow_runtime)
        : runtime_(runtime), slow_runtime_(slow_runtime) {}
    void Attach(GalleryService& service) { service_ = &service; }

    grpc::ServerUnaryReactor* CreateCollection(grpc::CallbackServerContext* context,
                                               const v1::CreateCollectionRequest* request,
                                               v1::CreateCollectionResponse* response) override;
    grpc::ServerUnaryReactor* GetCollection(grpc::CallbackServerContext* context,
                                            const v1::GetCollectionRequest* request,
                                            v1::GetCollectionResponse* response) override;
    grpc::ServerUnaryReactor* ListCollections(grpc::CallbackServerContext* context,
                                              const v1::ListCollectionsRequest* request,
                                              v1::ListCollectionsResponse* response) override;
    grpc::ServerUnaryReactor* UpdateCollection(grpc::CallbackServerContext* context,
                                               const v1::UpdateCollectionRequest* request,
                                               v1::UpdateCollectionResponse* response) override;
    grpc::ServerUnaryReactor* DeleteCollection(grpc::CallbackServerContext* context,
                                               const v1::DeleteCollectionRequest* request,
                                               v1::DeleteCollectionResponse* response) override;
    grpc::ServerUnaryReactor* GetCalibration(grpc::CallbackServerContext* context,
                                             const v1::GetCalibrationRequest* request,
                                             v1::GetCalibrationResponse* response) override;
    grpc::ServerUnaryReactor* GetIdentity(grpc::CallbackServerContext* context,
                                          const v1::GetIdentityRequest* request,
                                          v1::GetIdentityResponse* response) override;
    grpc::ServerUnaryReactor* ListIdentities(grpc::CallbackServerContext* context,
                                             const v1::ListIdentitiesRequest* request,
                                             v1::ListIdentitiesResponse* response) override;
    grpc::ServerUnaryReactor* UpdateIdentity(grpc::CallbackServerContext* context,
                                             const v1::UpdateIdentityRequest* request,
                                             v1::UpdateIdentityResponse* response) override;
    grpc::ServerUnaryReactor* RenameIdentity(grpc::CallbackServerContext* context,
                                             const v1::RenameIdentityRequest* request,
                                             v1::RenameIdentityResponse* response) override;
    grpc::ServerUnaryReactor* MergeIdentities(grpc::CallbackServerContext* context,
                                              const v1::MergeIdentitiesRequest* request,
                                              v1::MergeIdentitiesResponse* response) override;
    grpc::ServerUnaryReactor* DeleteIdentity(grpc::CallbackServerContext* context,
                                             const v1::DeleteIdentityRequest* request,
                                             v1::DeleteIdentityResponse* response) override;
    grpc::ServerUnaryReactor* ListTemplates(grpc::CallbackServerContext* context,
                                            const v1::ListTemplatesRequest* request,
                                            v1::ListTemplatesResponse* response) override;
    grpc::ServerUnaryReactor* DeleteTemplate(grpc::CallbackServerContext* context,
                                             const v1::DeleteTemplateRequest* request,
                                             v1::DeleteTemplateResponse* response) override;

   private:
    const CallRuntime runtime_;
    const CallRuntime slow_runtime_;
    GalleryService* service_ = nullptr;
  };

  class Admin final : public v1::AdminService::CallbackService {
   public:
    explicit Admin(const CallRuntime& runtime) : runtime_(runtime) {}
    void Attach(AdminService& service) { service_ = &service; }

    grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                            const v1::GetServerInfoRequest* request,
                                            v1::GetServerInfoResponse* response) override;

   private:
    const CallRuntime runtime_;
    AdminService* service_ = nullptr;
  };

  Face face_;
  Gallery gallery_;
  Admin admin_;
};

}  // namespace facegate
