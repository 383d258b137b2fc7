#pragma once

#include <cstdint>
#include <string_view>

#include "facegate/v1/types.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "index/gallery.h"

// These put what the gallery knows into messages.
namespace facegate {

void FillTimestamp(int64_t unix_us, google::protobuf::Timestamp* out);
// `server_model` decides whether the collection is usable.
void FillCollection(const CollectionInfo& info, const ModelKey& server_model, v1::Collection* out);
void FillIdentity(std::string_view collection, const IdentityInfo& info, v1::Identity* out);
void FillTemplate(std::string_view collection, std::string_view identity, const TemplateInfo& info,
                  v1::Template* out);

}  // namespace facegate
