#include "tests/fuzz/service_methods.h"

#include "face/base/check.h"

namespace facegate {
namespace {

using google::protobuf::Message;

template <typename Service, typename Request, typename Response>
ServiceMethod MethodOf(std::string name, Effect effect, Service& (RequestWorld::*service)(),
                       Status (Service::*method)(const CallContext&, const Request&, Response*)) {
  return {.name = std::move(name),
          .effect = effect,
          .new_request = [] { return std::make_unique<Request>(); },
          .new_response = [] { return std::make_unique<Response>(); },
          .call =
              [service, method](RequestWorld& world, const Message& request, Message& response) {
                const CallContext call{.caller = {}, .request_id = "fuzz"};
                return ((world.*service)().*method)(call, static_cast<const Request&>(request),
                                                    static_cast<Response*>(&response));
              }};
}

std::vector<ServiceMethod> MakeMethods() {
  const auto faces = &RequestWorld::faces;
  const auto galleries = &RequestWorld::galleries;
  const auto admin = &RequestWorld::admin;
  const Effect reads = Effect::kReads;
  const Effect changes = Effect::kChanges;
  return {
      MethodOf("Enroll", changes, faces, &FaceService::Enroll),
      MethodOf("Verify", reads, faces, &FaceService::Verify),
      MethodOf("Identify", reads, faces, &FaceService::Identify),
      MethodOf("Embed", reads, faces, &FaceService::Embed),
      MethodOf("Detect", reads, faces, &FaceService::Detect),
      MethodOf("Compare", reads, faces, &FaceService::Compare),
      MethodOf("CreateCollection", changes, galleries, &GalleryService::CreateCollection),
      MethodOf("GetCollection", reads, galleries, &GalleryService::GetCollection),
      MethodOf("ListCollections", reads, galleries, &GalleryService::ListCollections),
      MethodOf("DeleteCollection", changes, galleries, &GalleryService::DeleteCollection),
      MethodOf("GetIdentity", reads, galleries, &GalleryService::GetIdentity),
      MethodOf("ListIdentities", reads, galleries, &GalleryService::ListIdentities),
      MethodOf("DeleteIdentity", changes, galleries, &GalleryService::DeleteIdentity),
      MethodOf("ListTemplates", reads, galleries, &GalleryService::ListTemplates),
      MethodOf("DeleteTemplate", changes, galleries, &GalleryService::DeleteTemplate),
      MethodOf("GetServerInfo", reads, admin, &AdminService::GetServerInfo),
      MethodOf("UpdateIdentity", changes, galleries, &GalleryService::UpdateIdentity),
      MethodOf("RenameIdentity", changes, galleries, &GalleryService::RenameIdentity),
      MethodOf("MergeIdentities", changes, galleries, &GalleryService::MergeIdentities),
  };
}

}  // namespace

const std::vector<ServiceMethod>& ServiceMethods() {
  static const std::vector<ServiceMethod> methods = MakeMethods();
  return methods;
}

uint8_t MethodNumber(const std::string& name) {
  const std::vector<ServiceMethod>& methods = ServiceMethods();
  size_t place = 0;
  while (place < methods.size() && methods[place].name != name) ++place;
  FACEGATE_CHECK(place < methods.size());
  return static_cast<uint8_t>(place);
}

}  // namespace facegate
