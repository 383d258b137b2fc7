#include "index/store/store_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "face/base/coding.h"
#include "index/store/corrupt.h"
#include "index/store/store_reading.h"
#include "index/store/template_record.h"

namespace facegate {
namespace {

constexpr uint32_t kOldestFormatVersion = 1;  // without the family requests
constexpr uint32_t kFirstWithEraseMarks = 2;  // one for all families, which is taken over
constexpr uint32_t kFirstWithFamilyMarks = 3;

std::string Bytes(uint32_t version) {
  std::string bytes;
  AppendLittleEndian(bytes, version);
  return bytes;
}

StatusOr<std::optional<uint32_t>> ReadVersion(const StoreDatabase& database, std::string_view key) {
  FACEGATE_ASSIGN_OR_RETURN(const auto payload, ReadMetaValue(database, key));
  if (!payload.has_value()) return std::optional<uint32_t>();
  std::string_view bytes = *payload;
  const std::optional<uint32_t> version = TakeLittleEndian<uint32_t>(bytes);
  if (!version.has_value() || !bytes.empty()) {
    return Corrupt(fmt::format("meta record {} has {} bytes, expected 4", key, payload->size()));
  }
  return version;
}

Status Initialize(StoreDatabase& database) {
  for (const Family family : kFamilies) {
    FACEGATE_RETURN_IF_ERROR(
        VisitRows(database, family, AllKeys(), 0, [&](std::string_view, std::string_view) {
          return Corrupt(fmt::format("the family {} holds records but the meta records are missing",
                                     FamilyName(family)));
        }));
  }
  StoreBatch batch(database);
  FACEGATE_RETURN_IF_ERROR(
      batch.Put(Family::kMeta, std::string(kFormatKey), Bytes(kFormatVersion)));
  FACEGATE_RETURN_IF_ERROR(batch.Put(Family::kMeta, std::string(kCountersKey), EncodeCounters(1)));
  return database.Write(batch.writes(), "beginning a store", StoreDatabase::Kind::kAdds);
}

// Earlier formats had one mark for all families, the first none at all: where something was
// deleted, only the process knew that did it.
StatusOr<bool> NamesNoFamilyToErase(const StoreDatabase& database, uint32_t version) {
  if (version < kFirstWithEraseMarks) return true;
  if (version >= kFirstWithFamilyMarks) return false;
  FACEGATE_ASSIGN_OR_RETURN(const auto mark, ReadMetaValue(database, kErasePendingKey));
  return mark.has_value();
}

// From here on an older program refuses the store. The old keys of templates are as good as
// deleted: their family is marked before the first of them goes.
Status BeginTakeover(StoreDatabase& database, uint32_t version) {
  FACEGATE_ASSIGN_OR_RETURN(const bool erase_all, NamesNoFamilyToErase(database, version));
  std::vector<Family> marked{Family::kTemplates};
  if (erase_all) marked.assign(std::begin(kFamilies), std::end(kFamilies));
  StoreBatch batch(database);
  FACEGATE_RETURN_IF_ERROR(
      batch.Put(Family::kMeta, std::string(kFormatKey), Bytes(kFormatVersion)));
  FACEGATE_RETURN_IF_ERROR(batch.Put(Family::kMeta, std::string(kTakingOverKey), Bytes(version)));
  FACEGATE_RETURN_IF_ERROR(batch.Delete(Family::kMeta, std::string(kErasePendingKey)));
  FACEGATE_RETURN_IF_ERROR(PutEraseMarks(marked, batch));
  return database.Write(batch.writes(), "marking the store's format",
                        StoreDatabase::Kind::kTakesAway);
}

Status EndTakeover(StoreDatabase& database) {
  StoreBatch batch(database);
  FACEGATE_RETURN_IF_ERROR(batch.Delete(Family::kMeta, std::string(kTakingOverKey)));
  return database.Write(batch.writes(), "ending a take-over", StoreDatabase::Kind::kTakesAway);
}

}  // namespace

Status PrepareFormat(StoreDatabase& database, const TakeoverOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(const auto version, ReadVersion(database, kFormatKey));
  FACEGATE_ASSIGN_OR_RETURN(const auto counters, ReadMetaValue(database, kCountersKey));
  if (!version.has_value() && !counters.has_value()) return Initialize(database);
  if (!version.has_value()) return Corrupt("meta record format is missing");
  if (*version < kOldestFormatVersion || *version > kFormatVersion) {
    return FailedPrecondition(
        fmt::format("the store has format {}, this program reads formats {} to {}", *version,
                    kOldestFormatVersion, kFormatVersion));
  }
  if (!counters.has_value()) return Corrupt("meta record counters is missing");
  if (*version < kFormatVersion) FACEGATE_RETURN_IF_ERROR(BeginTakeover(database, *version));
  FACEGATE_ASSIGN_OR_RETURN(const auto taken_from, ReadVersion(database, kTakingOverKey));
  if (!taken_from.has_value()) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(TakeOverTemplates(database, *taken_from, options));
  return EndTakeover(database);
}

StatusOr<uint64_t> ReadCounters(const StoreDatabase& database) {
  FACEGATE_ASSIGN_OR_RETURN(const auto counters, ReadMetaValue(database, kCountersKey));
  if (!counters.has_value()) return Corrupt("meta record counters is missing");
  StatusOr<uint64_t> next = DecodeCounters(*counters);
  if (!next.ok()) return Annotate(next.status(), "meta record counters");
  return next;
}

std::string EraseMarkOf(Family family) {
  return std::string(kErasePendingKey) + "_" + FamilyName(family);
}

Status PutEraseMarks(const std::vector<Family>& families, StoreBatch& batch) {
  for (const Family family : families) {
    FACEGATE_RETURN_IF_ERROR(batch.Put(Family::kMeta, EraseMarkOf(family), {}));
  }
  return OkStatus();
}

StatusOr<std::vector<Family>> ReadEraseMarks(const StoreDatabase& database) {
  std::vector<Family> marked;
  for (const Family family : kFamilies) {
    FACEGATE_ASSIGN_OR_RETURN(const auto mark, ReadMetaValue(database, EraseMarkOf(family)));
    if (mark.has_value()) marked.push_back(family);
  }
  return marked;
}

}  // namespace facegate
