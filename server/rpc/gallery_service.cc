#include "server/rpc/gallery_service.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/page_token.h"
#include "server/rpc/request_checks.h"
#include "server/rpc/resource_messages.h"

namespace facegate {
namespace {

template <typename Request>
Status CheckIdentityPath(const Request& request) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  return CheckIdentityId(request.identity_id());
}

}  // namespace

GalleryService::GalleryService(Gallery& gallery, ModelKey model, int embedding_size)
    : gallery_(gallery), model_(std::move(model)), embedding_size_(embedding_size) {}

Status GalleryService::CreateCollection(const CallContext& /*call*/,
                                        const v1::CreateCollectionRequest& request,
                                        v1::CreateCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  CollectionSettings settings;
  if (request.has_min_cosine()) {
    FACEGATE_RETURN_IF_ERROR(CheckCosine(request.min_cosine(), "min_cosine"));
    settings.min_cosine = request.min_cosine();
  }
  FACEGATE_ASSIGN_OR_RETURN(
      const CollectionInfo info,
      gallery_.CreateCollection(request.collection_id(), model_, embedding_size_, settings));
  FillCollection(info, model_, response->mutable_collection());
  return OkStatus();
}

Status GalleryService::GetCollection(const CallContext& /*call*/,
                                     const v1::GetCollectionRequest& request,
                                     v1::GetCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo info,
                            gallery_.GetCollection(request.collection_id()));
  FillCollection(info, model_, response->mutable_collection());
  return OkStatus();
}

Status GalleryService::ListCollections(const CallContext& /*call*/,
                                       const v1::ListCollectionsRequest& request,
                                       v1::ListCollectionsResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size()));
  FACEGATE_ASSIGN_OR_RETURN(const std::string after,
                            ParsePageToken({"ListCollections"}, request.page_token()));
  const Page<CollectionInfo> page = gallery_.ListCollections(after, limit);
  for (const CollectionInfo& info : page.items) {
    FillCollection(info, model_, response->add_collections());
  }
  if (!page.next_after.empty()) {
    response->set_next_page_token(MakePageToken({"ListCollections"}, page.next_after));
  }
  return OkStatus();
}

Status GalleryService::DeleteCollection(const CallContext& /*call*/,
                                        const v1::DeleteCollectionRequest& request,
                                        v1::DeleteCollectionResponse* /*response*/) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  return gallery_.DeleteCollection(request.collection_id(), request.force());
}

Status GalleryService::GetIdentity(const CallContext& /*call*/,
                                   const v1::GetIdentityRequest& request,
                                   v1::GetIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_ASSIGN_OR_RETURN(const IdentityInfo info,
                            gallery_.GetIdentity(request.collection_id(), request.identity_id()));
  FillIdentity(request.collection_id(), info, response->mutable_identity());
  return OkStatus();
}

Status GalleryService::ListIdentities(const CallContext& /*call*/,
                                      const v1::ListIdentitiesRequest& request,
                                      v1::ListIdentitiesResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size()));
  FACEGATE_ASSIGN_OR_RETURN(
      const std::string after,
      ParsePageToken({"ListIdentities", request.collection_id()}, request.page_token()));
  FACEGATE_ASSIGN_OR_RETURN(const Page<IdentityInfo> page,
                            gallery_.ListIdentities(request.collection_id(), after, limit));
  for (const IdentityInfo& info : page.items) {
    FillIdentity(request.collection_id(), info, response->add_identities());
  }
  if (!page.next_after.empty()) {
    response->set_next_page_token(
        MakePageToken({"ListIdentities", request.collection_id()}, page.next_after));
  }
  return OkStatus();
}

Status GalleryService::DeleteIdentity(const CallContext& /*call*/,
                                      const v1::DeleteIdentityRequest& request,
                                      v1::DeleteIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_ASSIGN_OR_RETURN(const uint64_t deleted, gallery_.DeleteIdentity(request.collection_id(),
                                                                            request.identity_id()));
  response->set_deleted_templates(deleted);
  return OkStatus();
}

Status GalleryService::ListTemplates(const CallContext& /*call*/,
                                     const v1::ListTemplatesRequest& request,
                                     v1::ListTemplatesResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size()));
  const auto list = {std::string_view("ListTemplates"), std::string_view(request.collection_id()),
                     std::string_view(request.identity_id())};
  FACEGATE_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(list, request.page_token()));
  uint64_t after_id = 0;  // the token's check guarantees that the text is a number of ours
  std::from_chars(after.data(), after.data() + after.size(), after_id);

  // One more than asked for tells whether there is a next page.
  FACEGATE_ASSIGN_OR_RETURN(
      std::vector<TemplateInfo> templates,
      gallery_.ListTemplates(request.collection_id(), request.identity_id(), after_id, limit + 1));
  if (templates.size() > limit) {
    templates.resize(limit);
    response->set_next_page_token(MakePageToken(list, std::to_string(templates.back().id)));
  }
  for (const TemplateInfo& info : templates) {
    FillTemplate(request.collection_id(), request.identity_id(), info, response->add_templates());
  }
  return OkStatus();
}

Status GalleryService::DeleteTemplate(const CallContext& /*call*/,
                                      const v1::DeleteTemplateRequest& request,
                                      v1::DeleteTemplateResponse* /*response*/) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_RETURN_IF_ERROR(CheckTemplateId(request.template_id()));
  return gallery_.DeleteTemplate(request.collection_id(), request.identity_id(),
                                 request.template_id());
}

}  // namespace facegate
