#include "clients/cli/folder_identity.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "clients/cli/folder_name.h"
#include "clients/cli/listing.h"
#include "clients/cpp/request_id.h"

namespace facegate::cli {
namespace {

std::string ConflictWith(const PlannedPerson& person, const std::string& other_folder) {
  return fmt::format(
      "the identity {} was enrolled from a folder named {}, so that nothing is added to it; rename "
      "this folder or that identity, or set the identity's label '{}' to this folder's name",
      person.id, other_folder, kFolderLabel);
}

ClientResult<std::vector<v1::Template>> TemplatesOf(FacegateClient& client,
                                                    const std::string& collection,
                                                    const PlannedPerson& person,
                                                    const RetryOptions& retry) {
  return CollectPages<v1::Template>(
      0,
      [&](int32_t page_size, const std::string& token) {
        v1::ListTemplatesRequest request;
        request.set_collection_id(collection);
        request.set_identity_id(person.id);
        request.set_page_size(page_size);
        request.set_page_token(token);
        return CallWithRetry([&] { return client.ListTemplates(request); }, retry);
      },
      [](v1::ListTemplatesResponse& page) { return page.mutable_templates(); });
}

}  // namespace

ClientResult<FolderIdentity> LookUpFolderIdentity(FacegateClient& client,
                                                  const std::string& collection,
                                                  const PlannedPerson& person, WithDigests digests,
                                                  const RetryOptions& retry) {
  FolderIdentity found;
  v1::GetIdentityRequest request;
  request.set_collection_id(collection);
  request.set_identity_id(person.id);
  const auto answer = CallWithRetry([&] { return client.GetIdentity(request); }, retry);
  if (!answer.ok()) {
    if (answer.error().reason == "IDENTITY_NOT_FOUND") return found;
    return answer.error();
  }
  found.exists = true;
  const auto& labels = answer->identity().labels();
  if (const auto label = labels.find(kFolderLabel); label != labels.end()) {
    found.labelled = true;
    if (label->second != person.label) found.conflict = ConflictWith(person, label->second);
  }
  if (digests == WithDigests::kNo || found.conflict.has_value()) return found;
  const auto templates = TemplatesOf(client, collection, person, retry);
  if (!templates.ok()) return templates.error();
  for (const v1::Template& face : *templates) {
    if (!face.source_digest().empty()) found.digests.insert(face.source_digest());
  }
  return found;
}

std::optional<ClientError> LabelFolderIdentity(FacegateClient& client,
                                               const std::string& collection,
                                               const PlannedPerson& person,
                                               const RetryOptions& retry) {
  if (person.label.empty()) return std::nullopt;
  v1::UpdateIdentityRequest request;
  request.set_collection_id(collection);
  request.set_identity_id(person.id);
  (*request.mutable_identity()->mutable_labels())[kFolderLabel] = person.label;
  request.mutable_update_mask()->add_paths(std::string("labels.") + kFolderLabel);
  request.set_request_id(MakeRequestId());
  const auto answer = CallWithRetry([&] { return client.UpdateIdentity(request); }, retry);
  if (!answer.ok()) return answer.error();
  return std::nullopt;
}

}  // namespace facegate::cli
