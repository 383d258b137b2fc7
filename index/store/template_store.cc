#include "index/store/template_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
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
#include "index/store/store_format.h"
#include "index/store/store_reading.h"

namespace facegate {
namespace {

// Numbers are put aside in blocks, so that most enrolments need no second sync.
constexpr uint64_t kUidBlock = 4096;

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
    return Scan<StoredCollection>(Family::kCollections, AllKeys(), DecodeCollectionKey,
                                  DecodeCollection, visit);
  }

  Status ReadIdentities(const IdentityVisitor& visit) const override {
    return Scan<StoredIdentity>(Family::kIdentities, AllKeys(), DecodeIdentityKey, DecodeIdentity,
                                visit);
  }

  Status ReadTemplates(const IdentityKey& from, const std::optional<IdentityKey>& until,
                       const TemplateVisitor& visit) const override {
    return Scan<StoredTemplate>(Family::kTemplates, Between(from, until), DecodeTemplateKey,
                                DecodeTemplate, visit);
  }

  Status ReadRequests(const IdentityKey& from, const std::optional<IdentityKey>& until,
                      const RequestVisitor& visit) const override {
    return Scan<StoredRequest>(Family::kRequests, Between(from, until), DecodeRequestKey,
                               DecodeRequest, visit);
  }

  StatusOr<std::optional<StoredRequest>> ReadRequest(const RequestKey& key) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto payload,
                              ReadValue(*database_, Family::kRequests, EncodeRequestKey(key)));
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
    PendingErasure::Writing erasing(erasure_, batch.erased());
    FACEGATE_RETURN_IF_ERROR(PutEraseMarks(erasing.unmarked(), batch));
    FACEGATE_RETURN_IF_ERROR(Commit(batch, "writing", kind));
    erasing.Done();
    return OkStatus();
  }

  StatusOr<std::optional<int64_t>> ReadRequestTime() const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto payload, ReadMetaValue(*database_, kRequestTimeKey));
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
    PendingErasure::Taken taken(erasure_);
    FACEGATE_RETURN_IF_ERROR(CompactRanges(*database_, taken.keys(), canceled));
    return taken.Finish([this](const std::vector<Family>& families) -> Status {
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

  static KeyRange Between(const IdentityKey& from, const std::optional<IdentityKey>& until) {
    return {.begin = EncodeIdentityKey(from),
            .end = until.has_value() ? EncodeIdentityKey(*until) : std::string()};
  }

  Status Commit(StoreBatch& batch, std::string_view what, StoreDatabase::Kind kind) {
    return database_->Write(batch.writes(), what, kind);
  }

  template <typename Record, typename DecodeKey, typename DecodeRecord, typename Visitor>
  Status Scan(Family family, const KeyRange& range, const DecodeKey& decode_key,
              const DecodeRecord& decode_record, const Visitor& visit) const {
    const uint64_t given_out = GivenOut();
    const auto read = [&](std::string_view row, std::string_view value) -> Status {
      const auto key = decode_key(row);
      if (!key.has_value()) return NoSuchKey(family, row);
      const auto payload = OpenEnvelope(family, row, value);
      if (!payload.ok()) return Annotate(payload.status(), DescribeKey(*key));
      if (LargestUid(*key) >= given_out) {
        return Corrupt(fmt::format("{}: number {} was never given out, the next one is {}",
                                   DescribeKey(*key), LargestUid(*key), given_out));
      }
      StatusOr<Record> record = decode_record(*key, *payload);
      if (!record.ok()) return Annotate(record.status(), DescribeKey(*key));
      return visit(*std::move(record));
    };
    return VisitRows(*database_, family, range, kScanReadAhead, read);
  }

  uint64_t GivenOut() const {
    const MutexLock lock(uid_mutex_);
    return uid_end_;
  }

  Status ReadMeta() {
    FACEGATE_RETURN_IF_ERROR(PrepareFormat(*database_));
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t next, ReadCounters(*database_));
    {
      // The rest of the last block is given up: some of it was given out.
      const MutexLock lock(uid_mutex_);
      next_uid_ = uid_end_ = next;
    }
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<Family> marked, ReadEraseMarks(*database_));
    for (const Family family : marked) erasure_.Opened(family);
    return OkStatus();
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
