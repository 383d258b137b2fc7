#include "index/store/store_batch.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "face/base/coding.h"
#include "index/store/deleted_faces.h"
#include "index/store/envelope.h"

namespace facegate {
namespace {

constexpr std::string_view kBuilding = "building a batch";

}  // namespace

Status StoreBatch::Put(Family family, const std::string& key, const std::string& payload) {
  return FromRocksDb(
      writes_.Put(database_.HandleOf(family), key, SealEnvelope(family, key, payload)), kBuilding);
}

Status StoreBatch::Delete(Family family, const std::string& key) {
  return FromRocksDb(writes_.Delete(database_.HandleOf(family), key), kBuilding);
}

Status StoreBatch::DeleteRange(Family family, const KeyRange& range) {
  return FromRocksDb(writes_.DeleteRange(database_.HandleOf(family), range.begin, range.end),
                     kBuilding);
}

Status StoreBatch::Add(const StoreChange& change) {
  for (const auto& [family, ranges] : ErasedBy(change)) {
    for (const KeyRange& range : ranges.all()) erased_[family].Add(range);
  }
  FACEGATE_RETURN_IF_ERROR(AddDeletions(change));
  FACEGATE_RETURN_IF_ERROR(AddDeletedFaces(change));
  return AddRecords(change);
}

// Only collections go by range (see FindDeletedFaces()).
Status StoreBatch::AddDeletions(const StoreChange& change) {
  for (const uint64_t uid : change.deleted_collections) {
    const KeyRange range = RangeOf(uid);
    FACEGATE_RETURN_IF_ERROR(Delete(Family::kCollections, range.begin));
    for (const Family family : {Family::kIdentities, Family::kTemplates, Family::kCrops}) {
      FACEGATE_RETURN_IF_ERROR(DeleteRange(family, range));
    }
  }
  for (const IdentityKey& key : change.deleted_identities) {
    FACEGATE_RETURN_IF_ERROR(Delete(Family::kIdentities, EncodeIdentityKey(key)));
  }
  for (const RequestKey& key : change.deleted_requests) {
    FACEGATE_RETURN_IF_ERROR(Delete(Family::kRequests, EncodeRequestKey(key)));
  }
  return OkStatus();
}

Status StoreBatch::AddDeletedFaces(const StoreChange& change) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<FaceRow> rows, FindDeletedFaces(database_, change));
  for (const FaceRow& row : rows) {
    erased_[row.family].Add(RangeOf(row.owner));
    FACEGATE_RETURN_IF_ERROR(Delete(row.family, row.key));
    if (!row.moved_to.has_value()) continue;
    FACEGATE_RETURN_IF_ERROR(Put(row.family, *row.moved_to, row.payload));
  }
  return OkStatus();
}

Status StoreBatch::AddRecords(const StoreChange& change) {
  for (const StoredCollection& record : change.collections) {
    FACEGATE_RETURN_IF_ERROR(
        Put(Family::kCollections, EncodeCollectionKey(record.uid), EncodeCollection(record)));
  }
  for (const StoredIdentity& record : change.identities) {
    FACEGATE_RETURN_IF_ERROR(
        Put(Family::kIdentities, EncodeIdentityKey(record.key), EncodeIdentity(record)));
  }
  for (const StoredTemplate& record : change.templates) {
    FACEGATE_RETURN_IF_ERROR(
        Put(Family::kTemplates, EncodeTemplateKey(record.key), EncodeTemplate(record)));
  }
  for (const StoredRequest& record : change.requests) {
    FACEGATE_RETURN_IF_ERROR(
        Put(Family::kRequests, EncodeRequestKey(record.key), EncodeRequest(record)));
  }
  if (!change.request_time_us.has_value()) return OkStatus();
  std::string time;
  AppendLittleEndian(time, static_cast<uint64_t>(*change.request_time_us));
  return Put(Family::kMeta, std::string(kRequestTimeKey), time);
}

}  // namespace facegate
