// Right requests that the state of the server refuses.

#include <string>
#include <utility>

#include "tests/integration/hostile_row_list.h"

namespace facegate {

void AddStates(HostileRowList& rows) {
  using grpc::StatusCode;
  const auto refused = [](StatusCode code, std::string reason, std::string message = ".*") {
    return ExpectedRefusal{code, std::move(reason), "", std::move(message)};
  };
  v1::IdentifyRequest identify = rows.Identify();
  identify.set_collection_id("nowhere");
  rows.Add("unknown collection", FaceMethod("Identify"), identify,
           refused(StatusCode::NOT_FOUND, "COLLECTION_NOT_FOUND", "no such collection"));
  v1::VerifyRequest verify = rows.Verify();
  verify.set_identity_id("nobody");
  rows.Add("unknown identity", FaceMethod("Verify"), verify,
           refused(StatusCode::NOT_FOUND, "IDENTITY_NOT_FOUND", "no such identity"));
  v1::DeleteTemplateRequest erase;
  erase.set_collection_id("people");
  erase.set_identity_id("a");
  erase.set_template_id(999'999);
  rows.Add("unknown template", GalleryMethod("DeleteTemplate"), erase,
           refused(StatusCode::NOT_FOUND, "TEMPLATE_NOT_FOUND", "no such template"));
  v1::CreateCollectionRequest create;
  create.set_collection_id("people");
  rows.Add("collection exists", GalleryMethod("CreateCollection"), create,
           refused(StatusCode::ALREADY_EXISTS, "COLLECTION_EXISTS"));
  create.set_collection_id("other");
  create.set_request_id(kUsedRequestId);
  rows.Add("request id used before", GalleryMethod("CreateCollection"), create,
           refused(StatusCode::FAILED_PRECONDITION, "REQUEST_ID_REUSED", "another request"));
  v1::EnrollRequest enroll = rows.Enroll();
  enroll.set_identity_id("a");
  enroll.set_must_be_new(true);
  rows.Add("identity exists", FaceMethod("Enroll"), enroll,
           refused(StatusCode::ALREADY_EXISTS, "IDENTITY_EXISTS"));
  identify = rows.Identify();
  identify.set_collection_id("bare");
  rows.Add("no operating point", FaceMethod("Identify"), identify,
           refused(StatusCode::FAILED_PRECONDITION, "NO_OPERATING_POINT",
                   "request.*collection.*model card"));
  v1::DeleteCollectionRequest drop;
  drop.set_collection_id("people");
  rows.Add("collection not empty", GalleryMethod("DeleteCollection"), drop,
           refused(StatusCode::FAILED_PRECONDITION, "COLLECTION_NOT_EMPTY", "has 2 identities"));
  v1::RenameIdentityRequest rename;
  rename.set_collection_id("people");
  rename.set_identity_id("a");
  rename.set_new_identity_id("c");
  rename.set_etag("stale");
  rows.Add("another etag", GalleryMethod("RenameIdentity"), rename,
           refused(StatusCode::ABORTED, "ETAG_MISMATCH", "read it again"));
}

}  // namespace facegate
