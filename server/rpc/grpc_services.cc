#include "server/rpc/grpc_services.h"

namespace facegate {

GrpcServices::GrpcServices(const Lanes& lanes)
    : face_(lanes.pictures, lanes.vectors),
      gallery_(lanes.gallery, lanes.pictures),
      admin_(lanes.gallery) {}

void GrpcServices::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterService(&face_);
  builder.RegisterService(&gallery_);
  builder.RegisterService(&admin_);
}

void GrpcServices::Attach(FaceService& face, GalleryService& gallery, AdminService& admin) {
  face_.Attach(face);
  gallery_.Attach(gallery);
  admin_.Attach(admin);
}

std::array<std::string, 3> GrpcServices::Names() {
  return {v1::FaceService::service_full_name(), v1::GalleryService::service_full_name(),
          v1::AdminService::service_full_name()};
}

grpc::ServerUnaryReactor* GrpcServices::Face::Enroll(grpc::CallbackServerContext* context,
                                                     const v1::EnrollRequest* request,
                                                     v1::EnrollResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Enroll", service_, &FaceService::Enroll,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Face::Verify(grpc::CallbackServerContext* context,
                                                     const v1::VerifyRequest* request,
                                                     v1::VerifyResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Verify", service_, &FaceService::Verify,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Face::Identify(grpc::CallbackServerContext* context,
                                                       const v1::IdentifyRequest* request,
                                                       v1::IdentifyResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Identify", service_, &FaceService::Identify,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Face::Embed(grpc::CallbackServerContext* context,
                                                    const v1::EmbedRequest* request,
                                                    v1::EmbedResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Embed", service_, &FaceService::Embed, request,
                        response);
}

grpc::ServerUnaryReactor* GrpcServices::Face::Detect(grpc::CallbackServerContext* context,
                                                     const v1::DetectRequest* request,
                                                     v1::DetectResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Detect", service_, &FaceService::Detect,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Face::Compare(grpc::CallbackServerContext* context,
                                                      const v1::CompareRequest* request,
                                                      v1::CompareResponse* response) {
  return StartUnaryCall(LaneOf(*request), context, "Compare", service_, &FaceService::Compare,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::CreateCollection(
    grpc::CallbackServerContext* context, const v1::CreateCollectionRequest* request,
    v1::CreateCollectionResponse* response) {
  return StartUnaryCall(runtime_, context, "CreateCollection", service_,
                        &GalleryService::CreateCollection, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::GetCollection(
    grpc::CallbackServerContext* context, const v1::GetCollectionRequest* request,
    v1::GetCollectionResponse* response) {
  return StartUnaryCall(runtime_, context, "GetCollection", service_,
                        &GalleryService::GetCollection, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::ListCollections(
    grpc::CallbackServerContext* context, const v1::ListCollectionsRequest* request,
    v1::ListCollectionsResponse* response) {
  return StartUnaryCall(runtime_, context, "ListCollections", service_,
                        &GalleryService::ListCollections, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::UpdateCollection(
    grpc::CallbackServerContext* context, const v1::UpdateCollectionRequest* request,
    v1::UpdateCollectionResponse* response) {
  return StartUnaryCall(runtime_, context, "UpdateCollection", service_,
                        &GalleryService::UpdateCollection, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::DeleteCollection(
    grpc::CallbackServerContext* context, const v1::DeleteCollectionRequest* request,
    v1::DeleteCollectionResponse* response) {
  return StartUnaryCall(runtime_, context, "DeleteCollection", service_,
                        &GalleryService::DeleteCollection, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::GetCalibration(
    grpc::CallbackServerContext* context, const v1::GetCalibrationRequest* request,
    v1::GetCalibrationResponse* response) {
  return StartUnaryCall(slow_runtime_, context, "GetCalibration", service_,
                        &GalleryService::GetCalibration, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::GetIdentity(grpc::CallbackServerContext* context,
                                                             const v1::GetIdentityRequest* request,
                                                             v1::GetIdentityResponse* response) {
  return StartUnaryCall(runtime_, context, "GetIdentity", service_, &GalleryService::GetIdentity,
                        request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::ListIdentities(
    grpc::CallbackServerContext* context, const v1::ListIdentitiesRequest* request,
    v1::ListIdentitiesResponse* response) {
  return StartUnaryCall(runtime_, context, "ListIdentities", service_,
                        &GalleryService::ListIdentities, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::UpdateIdentity(
    grpc::CallbackServerContext* context, const v1::UpdateIdentityRequest* request,
    v1::UpdateIdentityResponse* response) {
  return StartUnaryCall(runtime_, context, "UpdateIdentity", service_,
                        &GalleryService::UpdateIdentity, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::RenameIdentity(
    grpc::CallbackServerContext* context, const v1::RenameIdentityRequest* request,
    v1::RenameIdentityResponse* response) {
  return StartUnaryCall(runtime_, context, "RenameIdentity", service_,
                        &GalleryService::RenameIdentity, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::MergeIdentities(
    grpc::CallbackServerContext* context, const v1::MergeIdentitiesRequest* request,
    v1::MergeIdentitiesResponse* response) {
  return StartUnaryCall(runtime_, context, "MergeIdentities", service_,
                        &GalleryService::MergeIdentities, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::DeleteIdentity(
    grpc::CallbackServerContext* context, const v1::DeleteIdentityRequest* request,
    v1::DeleteIdentityResponse* response) {
  return StartUnaryCall(runtime_, context, "DeleteIdentity", service_,
                        &GalleryService::DeleteIdentity, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::ListTemplates(
    grpc::CallbackServerContext* context, const v1::ListTemplatesRequest* request,
    v1::ListTemplatesResponse* response) {
  return StartUnaryCall(runtime_, context, "ListTemplates", service_,
                        &GalleryService::ListTemplates, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Gallery::DeleteTemplate(
    grpc::CallbackServerContext* context, const v1::DeleteTemplateRequest* request,
    v1::DeleteTemplateResponse* response) {
  return StartUnaryCall(runtime_, context, "DeleteTemplate", service_,
                        &GalleryService::DeleteTemplate, request, response);
}

grpc::ServerUnaryReactor* GrpcServices::Admin::GetServerInfo(
    grpc::CallbackServerContext* context, const v1::GetServerInfoRequest* request,
    v1::GetServerInfoResponse* response) {
  return StartUnaryCall(runtime_, context, "GetServerInfo", service_, &AdminService::GetServerInfo,
                        request, response);
}

}  // namespace facegate
