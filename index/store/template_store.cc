#include "index/store/template_store.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/base/mutex.h"
#include "index/store/corrupt.h"
#include "index/store/envelope.h"
#include "index/store/pending_erasure.h"
#include "index/store/store_batch.h"
#include "index/store/store_compaction.h"
#include "index/store/store_database.h"

namespace facegate {
namespace {

constexpr uint32_t kFormatVersion = 3;
constexpr uint32_t kOldestFormatVersion = 1;  // without the family requests
constexpr uint32_t kFirstWithEraseMarks = 2;  // one for all families, which is taken over
// Numbers are put aside in blocks, so that most enrolments need no second sync.
constexpr uint64_t kUidBlock = 4096;
constexpr size_t kReadAheadBytes = size_t{2} << 20;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

std::string EraseMarkOf(Family family) {
  return std::string(kErasePendingKey) + "_" + FamilyName(family);
}

class RocksTemplateStore final : public TemplateStore {
 public:
  static StatusOr<std::unique_ptr<TemplateStore>> Open(const TemplateStoreOptions& options) {
    FACEGATE_ASSIGN_OR_RETURN(auto database,
                              StoreDatabase::Open(options.directory, options.on_write_health));
    std::unique_ptr<RocksTemplateStore> store(new RocksTemplateStore(std::move(database)));
    FACEGATE_RETURN_IF_ERROR(store->ReadMeta());
    return store;
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
      StoreBatch batch(*database_);
      FACEGATE_RETURN_IF_ERROR(
          batch.Put(Family::kMeta, std::string(kCountersKey), EncodeCounters(end)));
      FACEGATE_RETURN_IF_ERROR(Commit(batch, "reserving numbers", StoreDatabase::Kind::kAdds));
      uid_end_ = end;
    }
    return std::exchange(next_uid_, next_uid_ + count);
  }

  Status Write(const StoreChange& change) override {
    const auto kind =
        TakesAway(change) ? StoreDatabase::Kind::kTakesAway : StoreDatabase::Kind::kAdds;
    StoreBatch batch(*database_);
    FACEGATE_RETURN_IF_ERROR(batch.Add(change));
    const ErasedKeys erased = ErasedBy(change);
    if (erased.empty()) return Commit(batch, "writing", kind);
    Status written = PutMarks(erasure_.Begin(erased), batch);
    if (written.ok()) written = Commit(batch, "writing", kind);
    erasure_.End(erased, written.ok());
    return written;
  }

  StatusOr<std::optional<int64_t>> ReadRequestTime() const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto payload, ReadMetaValue(kRequestTimeKey));
    if (!payload.has_value()) return std::optional<int64_t>();
    std::string_view bytes = *payload;
    const std::optional<uint64_t> time = TakeLittleEndian<uint64_t>(bytes);
    if (!time.has_value() || !bytes.empty()) {
      return Corrupt(
          fmt::format("meta record {} has {} bytes, expected 8", kRequestTimeKey, payload->size()));
    }
    return std::optional<int64_t>(static_cast<int64_t>(*time));
  }

  bool erase_pending() const override { return !erasure_.empty(); }

  uint64_t bytes_to_compact() const override {
    return BytesToCompact(*database_, erasure_.waiting());
  }

  Status Compact(std::atomic<bool>* canceled) override {
    // A compaction would not get to its end, and leave tables that are not needed.
    FACEGATE_RETURN_IF_ERROR(WriteHealth());
    // One after the other: what one has taken is not erased before it ends, and OK says that it is.
    const MutexLock alone(compact_mutex_);
    const ErasedKeys taken = erasure_.Take();
    Status status = CompactRanges(*database_, taken, canceled);
    if (!status.ok()) {
      erasure_.GiveBack(taken);
      return status;
    }
    return erasure_.Finish([this](const std::vector<Family>& families) -> Status {
      StoreBatch batch(*database_);
      for (const Family family : families) {
        FACEGATE_RETURN_IF_ERROR(batch.Delete(Family::kMeta, EraseMarkOf(family)));
      }
      return Commit(batch, "ending an erasure", StoreDatabase::Kind::kTakesAway);
    });
  }

  Status WriteHealth() const override { return database_->write_health(); }
  void TryToRecover() override { database_->TryToRecover(); }

 private:
  explicit RocksTemplateStore(std::unique_ptr<StoreDatabase> database)
      : database_(std::move(database)) {}

  rocksdb::DB& db() const { return database_->db(); }
  rocksdb::ColumnFamilyHandle* HandleOf(Family family) const { return database_->HandleOf(family); }

  static Status PutMarks(const std::vector<Family>& families, StoreBatch& batch) {
    for (const Family family : families) {
      FACEGATE_RETURN_IF_ERROR(batch.Put(Family::kMeta, EraseMarkOf(family), {}));
    }
    return OkStatus();
  }

  Status Commit(StoreBatch& batch, std::string_view what, StoreDatabase::Kind kind) {
    return database_->Write(batch.writes(), what, kind);
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
    const std::unique_ptr<rocksdb::Iterator> row(db().NewIterator(options, HandleOf(family)));
    for (row->Seek(from); row->Valid(); row->Next()) {
      const std::string_view key_bytes = ToView(row->key());
      const auto key = decode_key(key_bytes);
      if (!key.has_value()) {
        return Corrupt(fmt::format("a key of {} bytes in the family {} is not one of its kind",
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
    return FromLoading(row->status(), fmt::format("reading the family {}", FamilyName(family)));
  }

  uint64_t GivenOut() const {
    const MutexLock lock(uid_mutex_);
    return uid_end_;
  }

  // The payload under the key, or nothing.
  StatusOr<std::optional<std::string>> ReadValue(Family family, std::string_view key) const {
    std::string value;
    const rocksdb::Status status =
        db().Get(rocksdb::ReadOptions(), HandleOf(family), ToSlice(key), &value);
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
    {
      // The rest of the last block is given up: some of it was given out.
      const MutexLock lock(uid_mutex_);
      next_uid_ = uid_end_ = *next;
    }
    return *version == kFormatVersion ? ReadEraseMarks() : TakeOver(*version);
  }

  Status ReadEraseMarks() {
    for (const Family family : kFamilies) {
      FACEGATE_ASSIGN_OR_RETURN(const auto mark, ReadMetaValue(EraseMarkOf(family)));
      if (mark.has_value()) erasure_.Opened(family);
    }
    return OkStatus();
  }

  // Earlier formats had one mark for all families, the first none at all: where something was
  // deleted, only the process knew that did it.
  Status TakeOver(uint32_t version) {
    bool pending = version < kFirstWithEraseMarks;
    if (!pending) {
      FACEGATE_ASSIGN_OR_RETURN(const auto mark, ReadMetaValue(kErasePendingKey));
      pending = mark.has_value();
    }
    StoreBatch batch(*database_);
    FACEGATE_RETURN_IF_ERROR(PutFormat(batch));
    FACEGATE_RETURN_IF_ERROR(batch.Delete(Family::kMeta, std::string(kErasePendingKey)));
    if (pending) {
      FACEGATE_RETURN_IF_ERROR(PutMarks({std::begin(kFamilies), std::end(kFamilies)}, batch));
      for (const Family family : kFamilies) erasure_.Opened(family);
    }
    return Commit(batch, "marking the store's format", StoreDatabase::Kind::kTakesAway);
  }

  static Status PutFormat(StoreBatch& batch) {
    std::string version;
    AppendLittleEndian(version, kFormatVersion);
    return batch.Put(Family::kMeta, std::string(kFormatKey), version);
  }

  Status Initialize() {
    for (const Family family : kFamilies) {
      const std::unique_ptr<rocksdb::Iterator> row(
          db().NewIterator(rocksdb::ReadOptions(), HandleOf(family)));
      row->SeekToFirst();
      if (row->Valid()) {
        return Corrupt(fmt::format("the family {} holds records but the meta records are missing",
                                   FamilyName(family)));
      }
      FACEGATE_RETURN_IF_ERROR(FromRocksDb(row->status(), "reading a new store"));
    }
    StoreBatch batch(*database_);
    FACEGATE_RETURN_IF_ERROR(PutFormat(batch));
    FACEGATE_RETURN_IF_ERROR(
        batch.Put(Family::kMeta, std::string(kCountersKey), EncodeCounters(1)));
    return Commit(batch, "beginning a store", StoreDatabase::Kind::kAdds);
  }

  const std::unique_ptr<StoreDatabase> database_;

  PendingErasure erasure_;
  Mutex compact_mutex_;  // held over the disk calls of a compaction, which nothing else waits for

  mutable Mutex uid_mutex_;
  uint64_t next_uid_ FACEGATE_GUARDED_BY(uid_mutex_) = 1;
  // As persisted: numbers from next_uid_ to before this may be given out without a write.
  uint64_t uid_end_ FACEGATE_GUARDED_BY(uid_mutex_) = 1;
};

}  // namespace

StatusOr<std::unique_ptr<TemplateStore>> OpenTemplateStore(const TemplateStoreOptions& options) {
  return RocksTemplateStore::Open(options);
}

}  // namespace facegate
