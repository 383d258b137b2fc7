#pragma once

#include "face/base/status.h"
#include "facegate/v1/gallery_service.pb.h"
#include "index/gallery.h"

namespace facegate {

// The settings of a new collection. kInvalidField at the field that is out of its range.
StatusOr<CollectionSettings> ParseSettings(const v1::CreateCollectionRequest& request);

// Reads what the request asks of a collection's settings; fields that its mask does not name are
// not looked at. kInvalidField at update_mask, or at the field.
StatusOr<CollectionChange> ParseCollectionChange(const v1::UpdateCollectionRequest& request);

}  // namespace facegate
