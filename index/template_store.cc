#include "index/template_store.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/base/coding.h"
#include "face/base/log.h"
#include "face/base/mutex.h"
#include "index/envelope.h"
#include "index/store_directory.h"
#include "index/unsanitized.h"

namespace facegate {
namespace {

constexpr uint32_t kFormatVersion = 2;
constexpr uint32_t kOldestFormatVersion = 1;  // without the family requests
// Numbers are put aside in blocks, so that most enrolments need no second sync.
constexpr uint64_t kUidBlock = 4096;
constexpr uint64_t kMaxWalBytes = uint64_t{256} << 20;  // what an opening after a crash replays
constexpr size_t kReadAheadBytes = size_t{2} << 20;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Status Corrupt(std::string_view what) { return Refuse(Reason::kStoreCorrupt, what); }

// RocksDB's own text names files and offsets: it is for the operator's log, not for a client.
Status FromRocksDb(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return OkStatus();
  LogError("store: {}: {}", what, status.ToString());
  // After a failed write of its own, RocksDB answers every later write with that first error.
  const std::string_view stopped =
      status.severity() >= rocksdb::Status::kHardError
          ? "; the store takes no writes until the cause is mended and it has recovered or is "
            "opened again"
          : "";
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return Refuse(Reason::kStoreFull, fmt::format("{}: the disk is full{}", what, stopped));
  }
  if (status.IsCorruption()) {
    return Corrupt(fmt::format("{}: stored bytes do not check{}", what, stopped));
  }
  return Internal(fmt::format("{}: {}{}", what, status.ToString(), stopped));
}

Status FromOpening(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  if (status.IsIOError() && SaysThatLockIsHeld(text)) {
    return FailedPrecondition(
        fmt::format("{} is in use: another process has the store open", directory));
  }
  if (status.IsInvalidArgument()) {
    return FailedPrecondition(
        fmt::format("{} is not a store that this program can open: {}", directory, text));
  }
  if (status.IsPathNotFound()) return Corrupt(fmt::format("a file of the store is missing"));
  return FromRocksDb(status, "opening the store");
}

// RocksDB's warnings go to the one log. Its own log file would be one more place that keeps what
// was deleted; and on a full disk Debian's build ends the process at the second line for it.
class LogBridge final : public rocksdb::Logger {
 public:
  LogBridge() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    // The first line: some texts dump tables of numbers after it.
    const std::string_view text(line.data());
    LogWarning("rocksdb: {}", text.substr(0, text.find('\n')));
  }
};

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // A damaged record fails the opening. The default would drop it and all that came after it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // Reused log files would keep deleted bytes, and make the end of a log ambiguous.
  options.recycle_log_file_num = 0;
  options.WAL_ttl_seconds = 0;  // no archive of old logs either
  options.WAL_size_limit_MB = 0;
  options.max_total_wal_size = kMaxWalBytes;
  options.info_log = std::make_shared<LogBridge>();
  options.stats_dump_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // embeddings do not compress
  options.write_buffer_size = size_t{32} << 20;
  return options;
}

// Keys of every family from `begin` (empty: the first) to `end` (empty: the last).
struct KeyRange {
  std::string begin;
  std::string end;
};

// A compaction of a range rewrites the tables that it touches, so one for all is less work than
// many of their own.
constexpr size_t kMaxRanges = 8;

std::vector<KeyRange> FewRanges(std::vector<KeyRange> ranges) {
  if (ranges.size() <= kMaxRanges) return ranges;
  return {KeyRange{}};
}

IdentityKey NextIdentity(const IdentityKey& key) {
  return {.collection = key.collection, .identity = key.identity + 1};
}

// Where what the change deletes or overwrites lies.
std::vector<KeyRange> ErasedRanges(const StoreChange& change) {
  std::vector<KeyRange> ranges;
  const auto add = [&ranges](const IdentityKey& key) {
    ranges.push_back({EncodeIdentityKey(key), EncodeIdentityKey(NextIdentity(key))});
  };
  for (const uint64_t uid : change.deleted_collections) {
    ranges.push_back({EncodeCollectionKey(uid), EncodeCollectionKey(uid + 1)});
  }
  for (const IdentityKey& key : change.deleted_identities) add(key);
  for (const TemplateKey& key : change.deleted_templates) add(key.owner);
  if (change.erases_overwritten) {
    for (const StoredIdentity& identity : change.identities) add(identity.key);
  }
  return ranges;
}

class RocksTemplateStore final : public TemplateStore {
 public:
  static StatusOr<std::unique_ptr<TemplateStore>> Open(const std::string& directory) {
    FACEGATE_RETURN_IF_ERROR(PrepareStoreDirectory(directory));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, FamilyOptions());
    for (const Family family : kFamilies) {
      descriptors.emplace_back(FamilyName(family), FamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(DatabaseOptions(), directory, descriptors, &handles, &db);
    if (!status.ok()) return FromOpening(status, directory);
    std::unique_ptr<RocksTemplateStore> store(new RocksTemplateStore(db, std::move(handles)));
    FACEGATE_RETURN_IF_ERROR(store->ReadMeta());
    return store;
  }

  ~RocksTemplateStore() override {
    // Tables check all their bytes, the end of a log cannot: nothing stays in the log at a stop.
    const rocksdb::Status flushed = db_->Flush(rocksdb::FlushOptions(), handles_);
    if (!flushed.ok()) LogWarning("store: flush at close: {}", flushed.ToString());
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    const rocksdb::Status closed = db_->Close();
    if (!closed.ok()) LogWarning("store: close: {}", closed.ToString());
  }

  Status ReadCollections(const CollectionVisitor& visit) const override {
    return Scan<StoredCollection>(Family::kCollections, {}, {}, DecodeCollectionKey,
                                  DecodeCollection, visit);
  }

  Status ReadIdentities(const IdentityVisitor& visit) const override {
    return Scan<StoredIdentity>(Family::kIdentities, {}, {}, DecodeIdentityKey, DecodeIdentity,
                                visit);
  }

  Status ReadTemplates(const IdentityKey& from, const std::optional<IdentityKey>& until,
                       const TemplateVisitor& visit) const override {
    const std::string end = until.has_value() ? EncodeIdentityKey(*until) : std::string();
    return Scan<StoredTemplate>(Family::kTemplates, EncodeIdentityKey(from), end, DecodeTemplateKey,
                                DecodeTemplate, visit);
  }

  Status ReadRequests(const IdentityKey& from, const std::optional<IdentityKey>& until,
                      const RequestVisitor& visit) const override {
    const std::string end = until.has_value() ? EncodeIdentityKey(*until) : std::string();
    return Scan<StoredRequest>(Family::kRequests, EncodeIdentityKey(from), end, DecodeRequestKey,
                               DecodeRequest, visit);
  }

  StatusOr<std::optional<StoredRequest>> ReadRequest(const RequestKey& key) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto payload,
                              ReadValue(Family::kRequests, EncodeRequestKey(key)));
    if (!payload.has_value()) return std::optional<StoredRequest>();
    StatusOr<StoredRequest> request = DecodeRequest(key, *payload);
    if (!request.ok()) return Annotate(request.status(), DescribeKey(key));
    return std::optional<StoredRequest>(*std::move(request));
  }

  StatusOr<uint64_t> ReserveUids(uint64_t count) override {
    // The one disk call under a lock here, once in kUidBlock numbers: who needs a number must wait
    // for it anyway.
    const MutexLock lock(uid_mutex_);
    if (next_uid_ >= kUidLimit - kUidBlock || count >= kUidLimit - next_uid_ - kUidBlock)
      return Internal("numbers have run out");
    if (uid_end_ - next_uid_ < count) {
      const uint64_t end = next_uid_ + std::max(count, kUidBlock);
      rocksdb::WriteBatch batch;
      FACEGATE_RETURN_IF_ERROR(
          Put(batch, Family::kMeta, std::string(kCountersKey), EncodeCounters(end)));
      FACEGATE_RETURN_IF_ERROR(Commit(batch, "reserving numbers"));
      uid_end_ = end;
    }
    return std::exchange(next_uid_, next_uid_ + count);
  }

  Status Write(const StoreChange& change) override {
    rocksdb::WriteBatch batch;
    FACEGATE_RETURN_IF_ERROR(AddDeletions(change, batch));
    FACEGATE_RETURN_IF_ERROR(AddRecords(change, batch));
    std::vector<KeyRange> ranges = ErasedRanges(change);
    if (ranges.empty()) return Commit(batch, "writing");

    FACEGATE_RETURN_IF_ERROR(Put(batch, Family::kMeta, std::string(kErasePendingKey), {}));
    {
      const MutexLock lock(erase_mutex_);
      to_erase_.reserve(to_erase_.size() + ranges.size());
      deletions_in_flight_ += 1;
      erase_pending_ = true;
    }
    Status written = Commit(batch, "writing");
    // Also after a failure: the next opening may find the change done.
    const MutexLock lock(erase_mutex_);
    deletions_in_flight_ -= 1;
    std::move(ranges.begin(), ranges.end(), std::back_inserter(to_erase_));
    return written;
  }

  bool erase_pending() const override {
    const MutexLock lock(erase_mutex_);
    return erase_pending_;
  }

  Status Compact() override {
    std::vector<KeyRange> ranges;
    {
      const MutexLock lock(erase_mutex_);
      ranges = std::exchange(to_erase_, {});
    }
    Status status = CompactRanges(ranges);
    const MutexLock lock(erase_mutex_);
    if (!status.ok()) {
      std::move(ranges.begin(), ranges.end(), std::back_inserter(to_erase_));
      return status;
    }
    // What was deleted meanwhile, or is about to be, needs the mark.
    if (!erase_pending_ || deletions_in_flight_ > 0 || !to_erase_.empty()) return OkStatus();
    // Under the lock, so that the next deletion's mark comes after.
    rocksdb::WriteBatch batch;
    FACEGATE_RETURN_IF_ERROR(Delete(batch, Family::kMeta, std::string(kErasePendingKey)));
    FACEGATE_RETURN_IF_ERROR(Commit(batch, "ending an erasure"));
    erase_pending_ = false;
    return OkStatus();
  }

 private:
  RocksTemplateStore(rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> handles)
      : handles_(std::move(handles)), db_(db) {}

  // The default family, which RocksDB insists on, comes first and stays empty.
  rocksdb::ColumnFamilyHandle* HandleOf(Family family) const {
    const auto* place = std::find(std::begin(kFamilies), std::end(kFamilies), family);
    return handles_[1 + static_cast<size_t>(place - std::begin(kFamilies))];
  }

  Status Put(rocksdb::WriteBatch& batch, Family family, const std::string& key,
             const std::string& payload) const {
    return FromRocksDb(batch.Put(HandleOf(family), key, SealEnvelope(family, key, payload)),
                       "building a batch");
  }

  Status AddDeletions(const StoreChange& change, rocksdb::WriteBatch& batch) const {
    for (const uint64_t uid : change.deleted_collections) {
      const std::string begin = EncodeCollectionKey(uid);
      const std::string end = EncodeCollectionKey(uid + 1);
      FACEGATE_RETURN_IF_ERROR(Delete(batch, Family::kCollections, begin));
      for (const Family family : {Family::kIdentities, Family::kTemplates, Family::kRequests}) {
        FACEGATE_RETURN_IF_ERROR(DeleteRange(batch, family, begin, end));
      }
    }
    for (const IdentityKey& key : change.deleted_identities) {
      const std::string begin = EncodeIdentityKey(key);
      const std::string end = EncodeIdentityKey(NextIdentity(key));
      FACEGATE_RETURN_IF_ERROR(Delete(batch, Family::kIdentities, begin));
      FACEGATE_RETURN_IF_ERROR(DeleteRange(batch, Family::kTemplates, begin, end));
      FACEGATE_RETURN_IF_ERROR(DeleteRange(batch, Family::kRequests, begin, end));
    }
    for (const TemplateKey& key : change.deleted_templates) {
      FACEGATE_RETURN_IF_ERROR(Delete(batch, Family::kTemplates, EncodeTemplateKey(key)));
    }
    for (const RequestKey& key : change.deleted_requests) {
      FACEGATE_RETURN_IF_ERROR(Delete(batch, Family::kRequests, EncodeRequestKey(key)));
    }
    return OkStatus();
  }

  Status AddRecords(const StoreChange& change, rocksdb::WriteBatch& batch) const {
    for (const StoredCollection& record : change.collections) {
      FACEGATE_RETURN_IF_ERROR(Put(batch, Family::kCollections, EncodeCollectionKey(record.uid),
                                   EncodeCollection(record)));
    }
    for (const StoredIdentity& record : change.identities) {
      FACEGATE_RETURN_IF_ERROR(
          Put(batch, Family::kIdentities, EncodeIdentityKey(record.key), EncodeIdentity(record)));
    }
    for (const StoredTemplate& record : change.templates) {
      FACEGATE_RETURN_IF_ERROR(
          Put(batch, Family::kTemplates, EncodeTemplateKey(record.key), EncodeTemplate(record)));
    }
    for (const StoredRequest& record : change.requests) {
      FACEGATE_RETURN_IF_ERROR(
          Put(batch, Family::kRequests, EncodeRequestKey(record.key), EncodeRequest(record)));
    }
    return OkStatus();
  }

  // Flushes out of the memory tables, and with that out of the logs; then down to the last level,
  // where deletion markers and what they cover are left out. kForce, or else tables that lie there
  // already would be kept as they are.
  Status CompactRanges(const std::vector<KeyRange>& ranges) {
    FACEGATE_RETURN_IF_ERROR(
        FromRocksDb(db_->Flush(rocksdb::FlushOptions(), handles_), "flushing the store"));
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    options.exclusive_manual_compaction = false;
    for (const KeyRange& range : FewRanges(ranges)) {
      const rocksdb::Slice begin(range.begin);
      const rocksdb::Slice end(range.end);
      for (rocksdb::ColumnFamilyHandle* handle : handles_) {
        FACEGATE_RETURN_IF_ERROR(
            FromRocksDb(db_->CompactRange(options, handle, range.begin.empty() ? nullptr : &begin,
                                          range.end.empty() ? nullptr : &end),
                        "compacting the store"));
      }
    }
    return OkStatus();
  }

  Status Delete(rocksdb::WriteBatch& batch, Family family, const std::string& key) const {
    return FromRocksDb(batch.Delete(HandleOf(family), key), "building a batch");
  }

  Status DeleteRange(rocksdb::WriteBatch& batch, Family family, const std::string& begin,
                     const std::string& end) const {
    return FromRocksDb(batch.DeleteRange(HandleOf(family), begin, end), "building a batch");
  }

  Status Commit(rocksdb::WriteBatch& batch, std::string_view what) {
    return FromRocksDb(WriteSynced(batch), what);
  }

  // All writes have the same options: only those share a sync.
  rocksdb::Status WriteSynced(rocksdb::WriteBatch& batch) {
    rocksdb::WriteOptions options;
    options.sync = true;
    const Unsanitized unsanitized;
    return db_->Write(options, &batch);
  }

  template <typename Record, typename DecodeKey, typename DecodeRecord, typename Visitor>
  Status Scan(Family family, const std::string& from, const std::string& until,
              const DecodeKey& decode_key, const DecodeRecord& decode_record,
              const Visitor& visit) const {
    const rocksdb::Slice end(until);
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    options.fill_cache = false;
    options.readahead_size = kReadAheadBytes;
    if (!until.empty()) options.iterate_upper_bound = &end;
    const uint64_t given_out = GivenOut();
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(options, HandleOf(family)));
    for (row->Seek(from); row->Valid(); row->Next()) {
      const std::string_view key_bytes = ToView(row->key());
      const auto key = decode_key(key_bytes);
      if (!key.has_value()) {
        return Corrupt(fmt::format("a key of {} bytes in the family {} is none of its kind",
                                   key_bytes.size(), FamilyName(family)));
      }
      const auto payload = OpenEnvelope(family, key_bytes, ToView(row->value()));
      if (!payload.ok()) return Annotate(payload.status(), DescribeKey(*key));
      if (LargestUid(*key) >= given_out) {
        return Corrupt(fmt::format("{}: number {} was never given out, the next one is {}",
                                   DescribeKey(*key), LargestUid(*key), given_out));
      }
      StatusOr<Record> record = decode_record(*key, *payload);
      if (!record.ok()) return Annotate(record.status(), DescribeKey(*key));
      FACEGATE_RETURN_IF_ERROR(visit(*std::move(record)));
    }
    return FromRocksDb(row->status(), fmt::format("reading the family {}", FamilyName(family)));
  }

  uint64_t GivenOut() const {
    const MutexLock lock(uid_mutex_);
    return uid_end_;
  }

  // The payload under the key, or nothing.
  StatusOr<std::optional<std::string>> ReadValue(Family family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), HandleOf(family), ToSlice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    FACEGATE_RETURN_IF_ERROR(
        FromRocksDb(status, fmt::format("reading the family {}", FamilyName(family))));
    FACEGATE_ASSIGN_OR_RETURN(const std::string_view payload, OpenEnvelope(family, key, value));
    return std::optional<std::string>(payload);
  }

  StatusOr<std::optional<std::string>> ReadMetaValue(std::string_view key) const {
    auto payload = ReadValue(Family::kMeta, key);
    if (!payload.ok()) return Annotate(payload.status(), fmt::format("meta record {}", key));
    return payload;
  }

  Status ReadMeta() {
    FACEGATE_ASSIGN_OR_RETURN(const auto format, ReadMetaValue(kFormatKey));
    FACEGATE_ASSIGN_OR_RETURN(const auto counters, ReadMetaValue(kCountersKey));
    if (!format.has_value() && !counters.has_value()) return Initialize();
    if (!format.has_value()) return Corrupt("meta record format is missing");
    std::string_view version_bytes = *format;
    const std::optional<uint32_t> version = TakeLittleEndian<uint32_t>(version_bytes);
    if (!version.has_value() || !version_bytes.empty()) {
      return Corrupt(fmt::format("meta record format has {} bytes, expected 4", format->size()));
    }
    if (*version < kOldestFormatVersion || *version > kFormatVersion) {
      return FailedPrecondition(
          fmt::format("the store has format {}, this program reads formats {} to {}", *version,
                      kOldestFormatVersion, kFormatVersion));
    }
    if (!counters.has_value()) return Corrupt("meta record counters is missing");
    StatusOr<uint64_t> next = DecodeCounters(*counters);
    if (!next.ok()) return Annotate(next.status(), "meta record counters");
    FACEGATE_ASSIGN_OR_RETURN(const auto pending, ReadMetaValue(kErasePendingKey));
    if (pending.has_value() || *version < kFormatVersion) {
      // Where it was, only the process knew that deleted it; the first format did not say that
      // there was something.
      const MutexLock lock(erase_mutex_);
      erase_pending_ = true;
      to_erase_.push_back({});
    }
    {
      // What was left of the last block is given up: some of it was given out.
      const MutexLock lock(uid_mutex_);
      next_uid_ = uid_end_ = *next;
    }
    if (*version == kFormatVersion) return OkStatus();
    rocksdb::WriteBatch batch;
    FACEGATE_RETURN_IF_ERROR(PutFormat(batch));
    FACEGATE_RETURN_IF_ERROR(Put(batch, Family::kMeta, std::string(kErasePendingKey), {}));
    return Commit(batch, "marking the store's format");
  }

  Status PutFormat(rocksdb::WriteBatch& batch) const {
    std::string version;
    AppendLittleEndian(version, kFormatVersion);
    return Put(batch, Family::kMeta, std::string(kFormatKey), version);
  }

  Status Initialize() {
    for (const Family family : kFamilies) {
      const std::unique_ptr<rocksdb::Iterator> row(
          db_->NewIterator(rocksdb::ReadOptions(), HandleOf(family)));
      row->SeekToFirst();
      if (row->Valid()) {
        return Corrupt(fmt::format("the family {} holds records but the meta records are missing",
                                   FamilyName(family)));
      }
      FACEGATE_RETURN_IF_ERROR(FromRocksDb(row->status(), "reading a new store"));
    }
    rocksdb::WriteBatch batch;
    FACEGATE_RETURN_IF_ERROR(PutFormat(batch));
    FACEGATE_RETURN_IF_ERROR(
        Put(batch, Family::kMeta, std::string(kCountersKey), EncodeCounters(1)));
    return Commit(batch, "beginning a store");
  }

  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  const std::unique_ptr<rocksdb::DB> db_;

  mutable Mutex erase_mutex_;
  size_t deletions_in_flight_ FACEGATE_GUARDED_BY(erase_mutex_) = 0;
  // As the mark in the store, or ahead of it.
  bool erase_pending_ FACEGATE_GUARDED_BY(erase_mutex_) = false;
  std::vector<KeyRange> to_erase_ FACEGATE_GUARDED_BY(erase_mutex_);

  mutable Mutex uid_mutex_;
  uint64_t next_uid_ FACEGATE_GUARDED_BY(uid_mutex_) = 1;
  // As persisted: numbers from next_uid_ to before this may be given out without a write.
  uint64_t uid_end_ FACEGATE_GUARDED_BY(uid_mutex_) = 1;
};

}  // namespace

StatusOr<std::unique_ptr<TemplateStore>> OpenTemplateStore(const TemplateStoreOptions& options) {
  return RocksTemplateStore::Open(options.directory);
}

}  // namespace facegate
