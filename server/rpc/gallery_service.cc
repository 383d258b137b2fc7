#include "server/rpc/gallery_service.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/labels.h"
#include "index/resource_id.h"
#include "server/operations/probe.h"
#include "server/rpc/calibration_messages.h"
#include "server/rpc/collection_settings.h"
#include "server/rpc/decision_messages.h"
#include "server/rpc/page_token.h"
#include "server/rpc/request_checks.h"
#include "server/rpc/request_once.h"
#include "server/rpc/resource_messages.h"

namespace facegate {
namespace {

template <typename Request>
Status CheckIdentityPath(const Request& request) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  return CheckIdentityId(request.identity_id());
}

// A page ends with the item that takes it past this: clients refuse messages of more than 4 MiB
// unless they are told otherwise, and an identity may have 20 KB of labels.
constexpr size_t kPageBytes = 1 << 20;

// Adds one message for each item to `messages`, by `fill(item, message)`, until the page is full.
// How many were added.
template <typename Item, typename Messages, typename Fill>
size_t FillPage(const std::vector<Item>& items, Messages* messages, const Fill& fill) {
  size_t bytes = 0;
  size_t added = 0;
  while (added < items.size() && bytes < kPageBytes) {
    auto* const message = messages->Add();
    fill(items[added++], message);
    bytes += message->ByteSizeLong();
  }
  return added;
}

// Returns what the next page begins after; empty where `page`, of which `added` items were taken,
// is the last one.
template <typename Item>
std::string NextAfter(const Page<Item>& page, size_t added) {
  return added < page.items.size() ? page.items[added - 1].id : page.next_after;
}

// The answer of a deletion that tells nothing.
constexpr auto kFillNothing = [](const Deleted& /*deleted*/, auto* /*response*/) {};

// Reads what the request asks of the labels.
StatusOr<LabelChange> ParseLabelChange(const v1::UpdateIdentityRequest& request) {
  constexpr std::string_view kAll = "labels";
  constexpr std::string_view kOne = "labels.";
  FACEGATE_RETURN_IF_ERROR(CheckUpdateMask(request.update_mask(), "labels, or labels.KEY"));
  const auto& given = request.identity().labels();
  const auto& paths = request.update_mask().paths();
  FACEGATE_RETURN_IF_ERROR(AtField(CheckLabelCount(given.size()), "identity"));
  LabelChange change;
  for (const std::string& path : paths) {
    if (path == kAll) {
      if (!change.replace_all) change.set.insert(given.begin(), given.end());
      change.replace_all = true;
      continue;
    }
    const bool one =
        path.starts_with(kOne) && IsLabelKey(std::string_view(path).substr(kOne.size()));
    if (!one) {
      return RefuseField("update_mask", "has a path that is neither labels nor labels.KEY");
    }
    const std::string key = path.substr(kOne.size());
    if (const auto value = given.find(key); value != given.end()) {
      change.set.insert_or_assign(key, value->second);
    } else {
      change.remove.push_back(key);
    }
  }
  FACEGATE_RETURN_IF_ERROR(AtField(CheckLabels(change.set), "identity"));
  return change;
}

}  // namespace

GalleryService::GalleryService(Gallery& gallery, Journal& journal, ModelKey model,
                               int embedding_size, const CalibrationParts& calibrations,
                               const Clock& clock)
    : gallery_(gallery),
      journal_(journal),
      model_(std::move(model)),
      embedding_size_(embedding_size),
      calibrations_(calibrations),
      clock_(clock) {}

StopCheck GalleryService::Wanted(const CallContext& call) const {
  return [this, &call] { return call.caller.Check(clock_.Now()); };
}

Status GalleryService::CreateCollection(const CallContext& call,
                                        const v1::CreateCollectionRequest& request,
                                        v1::CreateCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const CollectionSettings settings, ParseSettings(request));
  const auto fill = [this](const CollectionInfo& info, v1::CreateCollectionResponse* out) {
    FillCollection(info, model_, out->mutable_collection());
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(
        const CollectionInfo info,
        gallery_.CreateCollection(
            request.collection_id(), model_, embedding_size_, settings,
            ReceiptOf<CollectionInfo, v1::CreateCollectionResponse>(ticket, fill), Wanted(call)));
    fill(info, response);
    return OkStatus();
  });
}

Status GalleryService::GetCollection(const CallContext& call,
                                     const v1::GetCollectionRequest& request,
                                     v1::GetCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo info,
                            gallery_.GetCollection(request.collection_id(), Wanted(call)));
  FillCollection(info, model_, response->mutable_collection());
  return OkStatus();
}

Status GalleryService::ListCollections(const CallContext& call,
                                       const v1::ListCollectionsRequest& request,
                                       v1::ListCollectionsResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size()));
  FACEGATE_ASSIGN_OR_RETURN(const std::string after,
                            ParsePageToken({"ListCollections"}, request.page_token()));
  FACEGATE_ASSIGN_OR_RETURN(const Page<CollectionInfo> page,
                            gallery_.ListCollections(after, limit, Wanted(call)));
  const size_t added = FillPage(page.items, response->mutable_collections(),
                                [this](const CollectionInfo& info, v1::Collection* out) {
                                  FillCollection(info, model_, out);
                                });
  if (const std::string next = NextAfter(page, added); !next.empty()) {
    response->set_next_page_token(MakePageToken({"ListCollections"}, next));
  }
  return OkStatus();
}

Status GalleryService::UpdateCollection(const CallContext& call,
                                        const v1::UpdateCollectionRequest& request,
                                        v1::UpdateCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const CollectionChange change, ParseCollectionChange(request));
  const auto fill = [this](const CollectionInfo& info, v1::UpdateCollectionResponse* out) {
    FillCollection(info, model_, out->mutable_collection());
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(
        const CollectionInfo info,
        gallery_.UpdateCollection(
            request.collection_id(), change, request.collection().etag(),
            ReceiptOf<CollectionInfo, v1::UpdateCollectionResponse>(ticket, fill), Wanted(call)));
    fill(info, response);
    return OkStatus();
  });
}

Status GalleryService::DeleteCollection(const CallContext& call,
                                        const v1::DeleteCollectionRequest& request,
                                        v1::DeleteCollectionResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  return Once(journal_, request, response, [&](const RequestTicket* ticket) {
    return gallery_.DeleteCollection(
        request.collection_id(), request.force(),
        ReceiptOf<Deleted, v1::DeleteCollectionResponse>(ticket, kFillNothing), Wanted(call));
  });
}

Status GalleryService::GetCalibration(const CallContext& call,
                                      const v1::GetCalibrationRequest& request,
                                      v1::GetCalibrationResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(
      const CalibrationSource source,
      ParseCalibration(request.calibration(), CalibrationSource::kCollection));
  FACEGATE_ASSIGN_OR_RETURN(
      const CollectionInfo collection,
      GetUsableCollection(gallery_, request.collection_id(), model_, Wanted(call)));
  FACEGATE_ASSIGN_OR_RETURN(const CalibrationReport report,
                            ReportCalibration(calibrations_, collection, source, Wanted(call)));
  FillCalibration(report, response);
  return OkStatus();
}

Status GalleryService::GetIdentity(const CallContext& call, const v1::GetIdentityRequest& request,
                                   v1::GetIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_ASSIGN_OR_RETURN(
      const IdentityInfo info,
      gallery_.GetIdentity(request.collection_id(), request.identity_id(), Wanted(call)));
  FillIdentity(request.collection_id(), info, response->mutable_identity());
  return OkStatus();
}

Status GalleryService::ListIdentities(const CallContext& call,
                                      const v1::ListIdentitiesRequest& request,
                                      v1::ListIdentitiesResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_ASSIGN_OR_RETURN(const size_t limit, PageSize(request.page_size()));
  FACEGATE_ASSIGN_OR_RETURN(
      const std::string after,
      ParsePageToken({"ListIdentities", request.collection_id()}, request.page_token()));
  FACEGATE_ASSIGN_OR_RETURN(
      const Page<IdentityInfo> page,
      gallery_.ListIdentities(request.collection_id(), after, limit, Wanted(call)));
  const size_t added = FillPage(page.items, response->mutable_identities(),
                                [&](const IdentityInfo& info, v1::Identity* out) {
                                  FillIdentity(request.collection_id(), info, out);
                                });
  if (const std::string next = NextAfter(page, added); !next.empty()) {
    response->set_next_page_token(MakePageToken({"ListIdentities", request.collection_id()}, next));
  }
  return OkStatus();
}

Status GalleryService::UpdateIdentity(const CallContext& call,
                                      const v1::UpdateIdentityRequest& request,
                                      v1::UpdateIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_ASSIGN_OR_RETURN(const LabelChange change, ParseLabelChange(request));
  const auto fill = [&](const IdentityInfo& info, v1::UpdateIdentityResponse* out) {
    FillIdentity(request.collection_id(), info, out->mutable_identity());
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    const StatusOr<IdentityInfo> info = gallery_.UpdateLabels(
        request.collection_id(), request.identity_id(), change, request.identity().etag(),
        ReceiptOf<IdentityInfo, v1::UpdateIdentityResponse>(ticket, fill), Wanted(call));
    // Too many labels together with those that are there.
    if (FieldOf(info.status()) == "labels") return AtField(info.status(), "identity");
    FACEGATE_RETURN_IF_ERROR(info.status());
    fill(*info, response);
    return OkStatus();
  });
}

Status GalleryService::RenameIdentity(const CallContext& call,
                                      const v1::RenameIdentityRequest& request,
                                      v1::RenameIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_RETURN_IF_ERROR(CheckResourceId(request.new_identity_id(), "new_identity_id"));
  const auto fill = [&](const IdentityInfo& info, v1::RenameIdentityResponse* out) {
    FillIdentity(request.collection_id(), info, out->mutable_identity());
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(
        const IdentityInfo info,
        gallery_.RenameIdentity(request.collection_id(), request.identity_id(),
                                request.new_identity_id(), request.etag(),
                                ReceiptOf<IdentityInfo, v1::RenameIdentityResponse>(ticket, fill),
                                Wanted(call)));
    fill(info, response);
    return OkStatus();
  });
}

Status GalleryService::MergeIdentities(const CallContext& call,
                                       const v1::MergeIdentitiesRequest& request,
                                       v1::MergeIdentitiesResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_RETURN_IF_ERROR(CheckResourceId(request.target_identity_id(), "target_identity_id"));
  FACEGATE_RETURN_IF_ERROR(CheckResourceId(request.source_identity_id(), "source_identity_id"));
  const MergedIdentity source{.id = request.source_identity_id(), .etag = request.source_etag()};
  const MergedIdentity target{.id = request.target_identity_id(), .etag = request.target_etag()};
  const auto fill = [&](const MergeResult& merged, v1::MergeIdentitiesResponse* out) {
    FillIdentity(request.collection_id(), merged.identity, out->mutable_identity());
    out->set_moved_templates(merged.moved_templates);
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(
        const MergeResult merged,
        gallery_.MergeIdentities(request.collection_id(), source, target,
                                 ReceiptOf<MergeResult, v1::MergeIdentitiesResponse>(ticket, fill),
                                 Wanted(call)));
    fill(merged, response);
    return OkStatus();
  });
}

Status GalleryService::DeleteIdentity(const CallContext& call,
                                      const v1::DeleteIdentityRequest& request,
                                      v1::DeleteIdentityResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  const auto fill = [](uint64_t deleted, v1::DeleteIdentityResponse* out) {
    out->set_deleted_templates(deleted);
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(
        const uint64_t deleted,
        gallery_.DeleteIdentity(request.collection_id(), request.identity_id(), request.etag(),
                                ReceiptOf<uint64_t, v1::DeleteIdentityResponse>(ticket, fill),
                                Wanted(call)));
    fill(deleted, response);
    return OkStatus();
  });
}

Status GalleryService::ListTemplates(const CallContext& call,
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
  FACEGATE_ASSIGN_OR_RETURN(std::vector<TemplateInfo> templates,
                            gallery_.ListTemplates(request.collection_id(), request.identity_id(),
                                                   after_id, limit + 1, Wanted(call)));
  if (templates.size() > limit) {
    templates.resize(limit);
    response->set_next_page_token(MakePageToken(list, std::to_string(templates.back().id)));
  }
  for (const TemplateInfo& info : templates) {
    FillTemplate(request.collection_id(), request.identity_id(), info, response->add_templates());
  }
  return OkStatus();
}

Status GalleryService::DeleteTemplate(const CallContext& call,
                                      const v1::DeleteTemplateRequest& request,
                                      v1::DeleteTemplateResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckIdentityPath(request));
  FACEGATE_RETURN_IF_ERROR(CheckTemplateId(request.template_id()));
  return Once(journal_, request, response, [&](const RequestTicket* ticket) {
    return gallery_.DeleteTemplate(
        request.collection_id(), request.identity_id(), request.template_id(),
        ReceiptOf<Deleted, v1::DeleteTemplateResponse>(ticket, kFillNothing), Wanted(call));
  });
}

}  // namespace facegate
