#pragma once

#include "face/base/clock.h"
#include "face/base/status.h"
#include "facegate/v1/gallery_service.pb.h"
#include "index/gallery.h"
#include "index/journal.h"
#include "server/operations/calibrated_basis.h"
#include "server/rpc/call_context.h"

namespace facegate {

// The methods of facegate.v1.GalleryService (the contract is in the proto) as plain functions.
// Thread-safe. After an error the response's content is unspecified.
class GalleryService {
 public:
  // All must outlive the service. New collections are bound to `model`.
  GalleryService(Gallery& gallery, Journal& journal, ModelKey model, int embedding_size,
                 const CalibrationParts& calibrations, const Clock& clock);

  Status CreateCollection(const CallContext& call, const v1::CreateCollectionRequest& request,
                          v1::CreateCollectionResponse* response);
  Status GetCollection(const CallContext& call, const v1::GetCollectionRequest& request,
                       v1::GetCollectionResponse* response);
  Status ListCollections(const CallContext& call, const v1::ListCollectionsRequest& request,
                         v1::ListCollectionsResponse* response);
  Status UpdateCollection(const CallContext& call, const v1::UpdateCollectionRequest& request,
                          v1::UpdateCollectionResponse* response);
  Status DeleteCollection(const CallContext& call, const v1::DeleteCollectionRequest& request,
                          v1::DeleteCollectionResponse* response);

  Status GetCalibration(const CallContext& call, const v1::GetCalibrationRequest& request,
                        v1::GetCalibrationResponse* response);

  Status GetIdentity(const CallContext& call, const v1::GetIdentityRequest& request,
                     v1::GetIdentityResponse* response);
  Status ListIdentities(const CallContext& call, const v1::ListIdentitiesRequest& request,
                        v1::ListIdentitiesResponse* response);
  Status UpdateIdentity(const CallContext& call, const v1::UpdateIdentityRequest& request,
                        v1::UpdateIdentityResponse* response);
  Status RenameIdentity(const CallContext& call, const v1::RenameIdentityRequest& request,
                        v1::RenameIdentityResponse* response);
  Status MergeIdentities(const CallContext& call, const v1::MergeIdentitiesRequest& request,
                         v1::MergeIdentitiesResponse* response);
  Status DeleteIdentity(const CallContext& call, const v1::DeleteIdentityRequest& request,
                        v1::DeleteIdentityResponse* response);

  Status ListTemplates(const CallContext& call, const v1::ListTemplatesRequest& request,
                       v1::ListTemplatesResponse* response);
  Status DeleteTemplate(const CallContext& call, const v1::DeleteTemplateRequest& request,
                        v1::DeleteTemplateResponse* response);

 private:
  // Of a call that goes on.
  StopCheck Wanted(const CallContext& call) const;

  Gallery& gallery_;
  Journal& journal_;
  const ModelKey model_;
  const int embedding_size_;
  const CalibrationParts calibrations_;
  const Clock& clock_;
};

}  // namespace facegate
