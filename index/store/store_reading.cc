#include "index/store/store_reading.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>

#include "index/store/corrupt.h"
#include "index/store/envelope.h"

namespace facegate {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::string Reading(Family family) {
  return fmt::format("reading the family {}", FamilyName(family));
}

}  // namespace

StatusOr<std::optional<std::string>> ReadValue(const StoreDatabase& database, Family family,
                                               std::string_view key) {
  std::string value;
  const rocksdb::Status status =
      database.db().Get(rocksdb::ReadOptions(), database.HandleOf(family), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  FACEGATE_RETURN_IF_ERROR(FromRocksDb(status, Reading(family)));
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view payload, OpenEnvelope(family, key, value));
  return std::optional<std::string>(payload);
}

StatusOr<std::optional<std::string>> ReadMetaValue(const StoreDatabase& database,
                                                   std::string_view key) {
  auto payload = ReadValue(database, Family::kMeta, key);
  if (!payload.ok()) return Annotate(payload.status(), fmt::format("meta record {}", key));
  return payload;
}

Status VisitRows(const StoreDatabase& database, Family family, const KeyRange& range,
                 size_t read_ahead, const RowVisitor& visit) {
  const rocksdb::Slice end(range.end);
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  options.readahead_size = read_ahead;
  if (!range.end.empty()) options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> row(
      database.db().NewIterator(options, database.HandleOf(family)));
  for (row->Seek(range.begin); row->Valid(); row->Next()) {
    FACEGATE_RETURN_IF_ERROR(visit(ToView(row->key()), ToView(row->value())));
  }
  return FromLoading(row->status(), Reading(family));
}

Status NoSuchKey(Family family, std::string_view key) {
  return Corrupt(fmt::format("a key of {} bytes in the family {} is not one of its kind",
                             key.size(), FamilyName(family)));
}

}  // namespace facegate
