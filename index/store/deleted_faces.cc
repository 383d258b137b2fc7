#include "index/store/deleted_faces.h"

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "index/store/envelope.h"
#include "index/store/key_range.h"
#include "index/store/store_reading.h"

namespace facegate {
namespace {

// The faces of one identity that are deleted.
struct Faces {
  bool all = false;
  std::set<uint64_t> numbers;
};

std::map<IdentityKey, Faces> DeletedFaces(const StoreChange& change) {
  std::map<IdentityKey, Faces> deleted;
  for (const IdentityKey& key : change.deleted_identities) deleted[key].all = true;
  for (const FaceKey& key : change.deleted_templates) {
    deleted[key.owner].numbers.insert(key.template_id);
  }
  return deleted;
}

StatusOr<FaceKey> FaceOf(Family family, std::string_view row) {
  if (family == Family::kCrops) {
    if (const auto key = DecodeCropKey(row)) return *key;
  } else if (const auto key = DecodeTemplateKey(row)) {
    return FaceKey{.owner = key->owner, .template_id = key->template_id};
  }
  return NoSuchKey(family, row);
}

// The key of the row below another identity: what follows the identity stays.
std::string Below(const IdentityKey& owner, std::string_view row) {
  std::string key = EncodeIdentityKey(owner);
  return key.append(row.substr(key.size()));
}

}  // namespace

StatusOr<std::vector<FaceRow>> FindDeletedFaces(const StoreDatabase& database,
                                                const StoreChange& change) {
  std::vector<FaceRow> found;
  const std::map<IdentityKey, Faces> deleted = DeletedFaces(change);
  if (deleted.empty()) return found;
  std::unordered_map<uint64_t, TemplateKey> put;
  for (const StoredTemplate& one : change.templates) put.emplace(one.key.template_id, one.key);

  const auto add = [&](Family family, const Faces& faces, std::string_view key,
                       std::string_view value) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const FaceKey face, FaceOf(family, key));
    if (!faces.all && !faces.numbers.contains(face.template_id)) return OkStatus();
    FaceRow row{.family = family, .owner = face.owner, .key = std::string(key)};
    if (const auto heir = put.find(face.template_id); heir != put.end()) {
      std::string moved_to = Below(heir->second.owner, key);
      if (family == Family::kCrops || moved_to != EncodeTemplateKey(heir->second)) {
        FACEGATE_ASSIGN_OR_RETURN(row.payload, OpenEnvelope(family, key, value));
        row.moved_to = std::move(moved_to);
      }
    }
    found.push_back(std::move(row));
    return OkStatus();
  };
  for (const auto& [owner, faces] : deleted) {
    for (const Family family : {Family::kTemplates, Family::kCrops}) {
      FACEGATE_RETURN_IF_ERROR(VisitRows(
          database, family, RangeOf(owner), 0,
          [&, family = family, &faces = faces](std::string_view key, std::string_view value) {
            return add(family, faces, key, value);
          }));
    }
  }
  return found;
}

}  // namespace facegate
