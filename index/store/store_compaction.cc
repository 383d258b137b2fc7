#include "index/store/store_compaction.h"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <string>
#include <vector>

namespace facegate {
namespace {

// A range that is compacted lies in a table, and may reach into the next.
constexpr uint64_t kTablesBesides = 2;

// The first keys of the tables of the last level that has any, in order.
std::vector<std::string> FirstKeysOfTables(const StoreDatabase& database, Family family) {
  rocksdb::ColumnFamilyMetaData data;
  database.db().GetColumnFamilyMetaData(database.HandleOf(family), &data);
  std::vector<std::string> keys;
  for (const rocksdb::LevelMetaData& level : data.levels) {
    if (level.files.empty()) continue;
    keys.clear();
    for (const rocksdb::SstFileMetaData& file : level.files) keys.push_back(file.smallestkey);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Ranges that lie in one table of the last level become one, so that it is rewritten once.
std::vector<KeyRange> ByTable(const StoreDatabase& database, Family family,
                              const KeyRanges& ranges) {
  const std::vector<std::string> tables = FirstKeysOfTables(database, family);
  std::vector<KeyRange> grouped;
  auto table = tables.end();
  for (const KeyRange& range : ranges.all()) {
    const auto of_range = std::upper_bound(tables.begin(), tables.end(), range.begin);
    if (grouped.empty() || of_range != table) {
      grouped.push_back(range);
    } else {
      grouped.back() = Around(grouped.back(), range);
    }
    table = of_range;
  }
  return grouped;
}

uint64_t BytesIn(const StoreDatabase& database, Family family, const KeyRange& range) {
  // Greater than every key there is: numbers stay below 2^63.
  const std::string last(1, '\xff');
  const rocksdb::Range keys(range.begin, range.end.empty() ? last : range.end);
  uint64_t bytes = 0;
  const auto parts = rocksdb::DB::SizeApproximationFlags::INCLUDE_FILES |
                     rocksdb::DB::SizeApproximationFlags::INCLUDE_MEMTABLES;
  const rocksdb::Status status =
      database.db().GetApproximateSizes(database.HandleOf(family), &keys, 1, &bytes, parts);
  return status.ok() ? bytes : 0;
}

}  // namespace

// Flushes out of the memory tables, and with that out of the logs; then down to the last level,
// where deletion markers and what they cover are left out. Forced, or else tables that lie there
// already would be kept as they are.
Status CompactRanges(StoreDatabase& database, const ErasedKeys& erased,
                     std::atomic<bool>* canceled) {
  FACEGATE_RETURN_IF_ERROR(database.Flush());
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.exclusive_manual_compaction = false;
  options.canceled = canceled;
  for (const auto& [family, ranges] : erased) {
    for (const KeyRange& range : ByTable(database, family, ranges)) {
      const rocksdb::Slice begin(range.begin);
      const rocksdb::Slice end(range.end);
      const rocksdb::Status status = database.db().CompactRange(
          options, database.HandleOf(family), range.begin.empty() ? nullptr : &begin,
          range.end.empty() ? nullptr : &end);
      if (canceled != nullptr && *canceled) return Unavailable("the compaction was canceled");
      FACEGATE_RETURN_IF_ERROR(FromRocksDb(status, "compacting the store"));
    }
  }
  return OkStatus();
}

uint64_t BytesToCompact(const StoreDatabase& database, const ErasedKeys& erased) {
  uint64_t bytes = 0;
  for (const auto& [family, ranges] : erased) {
    uint64_t of_family = 0;
    for (const KeyRange& range : ByTable(database, family, ranges)) {
      of_family += kTablesBesides * TableBytes(family) + BytesIn(database, family, range);
    }
    bytes += std::min(of_family, BytesIn(database, family, AllKeys()));
  }
  return bytes;
}

}  // namespace facegate
