#include "index/store/store_database.h"

#include <fmt/format.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/rate_limiter.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>

#include "face/base/catch.h"
#include "face/base/log.h"
#include "face/base/mutex.h"
#include "index/store/corrupt.h"
#include "index/store/store_directory.h"
#include "index/store/unsanitized.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxWalBytes = uint64_t{256} << 20;  // what an opening after a crash replays

// Tables beyond these are opened again for each use; a gallery uses them when it starts alone.
constexpr int kMaxOpenFiles = 512;
constexpr int64_t kRewrittenPerSecond = int64_t{64} << 20;  // by flushes and compactions

bool IsFull(const rocksdb::Status& status) {
  return status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit;
}

// True when RocksDB answers every later write with this error, until it has recovered.
bool HasStopped(const rocksdb::Status& status) {
  return status.severity() >= rocksdb::Status::kHardError;
}

Status DiskIsFull() {
  return Refuse(
      Reason::kStoreFull,
      "the disk is full: changes that need room are refused until about 100 MiB are free, "
      "then the store goes on by itself; deletions are taken");
}

// Tells what an error that stops all writes, or a full disk, says of the store's health.
Status HealthAfter(const rocksdb::Status& status) {
  if (IsFull(status)) return DiskIsFull();
  return Refuse(Reason::kInternal,
                "the disk has failed under a write: changes are refused until the cause is removed "
                "and the server is started again");
}

// A refused write is no news to the log: WriteHealth has told it.
Status FromWrite(const rocksdb::Status& status, std::string_view what) {
  const std::string_view stopped =
      HasStopped(status) ? "; the store takes no writes until the cause is removed and it has "
                           "recovered or is opened again"
                         : "";
  if (IsFull(status)) {
    return Refuse(Reason::kStoreFull, fmt::format("{}: the disk is full{}", what, stopped));
  }
  if (status.IsCorruption()) {
    return Corrupt(fmt::format("{}: the stored bytes are damaged{}", what, stopped));
  }
  return Internal(fmt::format("{}: {}{}", what, status.ToString(), stopped));
}

// RocksDB's words when a database has families that are not asked for.
constexpr std::string_view kUnknownFamilies = "Column families not opened";

Status FromOpening(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  if (status.IsIOError() && SaysThatLockIsHeld(text)) {
    return FailedPrecondition(
        fmt::format("{} is in use: another process has the store open", directory));
  }
  if (status.IsInvalidArgument() && text.find(kUnknownFamilies) != std::string::npos) {
    return FailedPrecondition(
        fmt::format("{} has families of records that this program does not know: a later version "
                    "wrote it ({})",
                    directory, text));
  }
  if (status.IsInvalidArgument()) {
    return FailedPrecondition(
        fmt::format("{} is not a store that this program can open: {}", directory, text));
  }
  if (status.IsPathNotFound()) {
    return Corrupt(fmt::format("a file of the store is missing: {}", text));
  }
  return FromLoading(status, "opening the store");
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
  // Changes are small and share a sync. To wake each of those who share it for its own part costs
  // more than the one who syncs needs for all of them.
  options.allow_concurrent_memtable_write = false;
  // A damaged record fails the opening. The default would drop it and all that came after it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // Reused log files would keep deleted bytes, and make the end of a log ambiguous.
  options.recycle_log_file_num = 0;
  options.WAL_ttl_seconds = 0;  // no archive of old logs either
  options.WAL_size_limit_MB = 0;
  // A log that lies behind the newest one is needed as long as some family has not been flushed.
  // The file LIVE_LOG speaks of the newest alone.
  options.track_and_verify_wals_in_manifest = true;
  options.max_total_wal_size = kMaxWalBytes;
  options.info_log = std::make_shared<LogBridge>();
  options.stats_dump_period_sec = 0;
  options.max_open_files = kMaxOpenFiles;
  options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(kRewrittenPerSecond));
  return options;
}

constexpr uint64_t kTableBytes = uint64_t{8} << 20;        // of embeddings and crops
constexpr uint64_t kSmallTableBytes = uint64_t{24} << 10;  // of records that are small themselves

rocksdb::ColumnFamilyOptions FamilyOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // neither embeddings nor pictures compress
  options.write_buffer_size = size_t{32} << 20;
  // Beside the one that is filled and the one that is written to a table: changes that come in a
  // burst faster than tables are written stop nobody.
  options.max_write_buffer_number = 4;
  options.target_file_size_base = kTableBytes;
  return options;
}

bool HoldsLargeValues(Family family) {
  return family == Family::kTemplates || family == Family::kCrops;
}

// One change of a small record must not rewrite all of them. So they lie in many small tables of
// level 2, which has no bound; the little that changes comes from level 1, in tables that are cut
// where those of level 2 are (max_compaction_bytes), so that each is merged with one.
rocksdb::ColumnFamilyOptions SmallFamilyOptions() {
  rocksdb::ColumnFamilyOptions options = FamilyOptions();
  options.target_file_size_base = kSmallTableBytes;
  options.max_compaction_bytes = kSmallTableBytes;
  options.max_bytes_for_level_base = 8 * kSmallTableBytes;
  options.max_bytes_for_level_multiplier = 1e6;
  return options;
}

}  // namespace

uint64_t TableBytes(Family family) {
  return HoldsLargeValues(family) ? kTableBytes : kSmallTableBytes;
}

Status FromRocksDb(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return OkStatus();
  LogError("store: {}: {}", what, status.ToString());
  return FromWrite(status, what);
}

Status FromLoading(const rocksdb::Status& status, std::string_view what) {
  if (!status.IsCorruption()) return FromRocksDb(status, what);
  return Corrupt(fmt::format("{}: {}", what, status.ToString()));
}

// Errors of RocksDB's own threads, and its recovery from them.
class StoreDatabase::Listener final : public rocksdb::EventListener {
 public:
  Listener(std::string directory, std::shared_ptr<WriteHealth> health)
      : directory_(std::move(directory)), health_(std::move(health)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* error) override {
    if (HasStopped(*error)) health_->SetStopped(HealthAfter(*error), error->ToString());
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    const rocksdb::Status& now = info.new_bg_error;
    if (now.ok()) health_->SetRecovered();
    if (HasStopped(now)) health_->SetStopped(HealthAfter(now), now.ToString());
  }

  // A flush began another log before.
  void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*info*/) override {
    Note();
  }
  void Note() {
    const MutexLock lock(note_mutex_);
    const Status noted = NoteLog(directory_);
    if (!noted.ok()) LogWarning("store: {}", MessageOf(noted));
  }

 private:
  const std::string directory_;
  const std::shared_ptr<WriteHealth> health_;

  Mutex note_mutex_;  // families may be flushed at once, and a note is made ready under one name
};

StatusOr<std::unique_ptr<StoreDatabase>> StoreDatabase::Open(
    const std::string& directory, WriteHealth::OnChange on_write_health) {
  FACEGATE_RETURN_IF_ERROR(PrepareStoreDirectory(directory));
  auto health = std::make_shared<WriteHealth>(std::move(on_write_health));
  rocksdb::DBOptions options = DatabaseOptions();
  const auto listener = std::make_shared<Listener>(directory, health);
  options.listeners.push_back(listener);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, FamilyOptions());
  for (const Family family : kFamilies) {
    descriptors.emplace_back(FamilyName(family),
                             HoldsLargeValues(family) ? FamilyOptions() : SmallFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, descriptors, &handles, &db);
  if (!status.ok()) return FromOpening(status, directory);
  listener->Note();
  return std::unique_ptr<StoreDatabase>(
      new StoreDatabase(directory, std::move(health), db, std::move(handles)));
}

StoreDatabase::~StoreDatabase() {
  // Tables check all their bytes, the end of a log cannot: nothing stays in the log at a stop.
  const rocksdb::Status flushed = db_->Flush(rocksdb::FlushOptions(), handles_);
  if (!flushed.ok()) LogWarning("store: flush at close: {}", flushed.ToString());
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  const rocksdb::Status closed = db_->Close();
  if (!closed.ok()) LogWarning("store: close: {}", closed.ToString());
}

rocksdb::ColumnFamilyHandle* StoreDatabase::HandleOf(Family family) const {
  const auto* place = std::find(std::begin(kFamilies), std::end(kFamilies), family);
  return handles_[1 + static_cast<size_t>(place - std::begin(kFamilies))];
}

// All writes have the same options: only those share a sync.
Status StoreDatabase::Write(rocksdb::WriteBatch& batch, std::string_view what, Kind kind) {
  if (kind == Kind::kTakesAway) {
    room_.FreeForLess();
  } else if (!room_.ForMore()) {
    health_->SetRefused(DiskIsFull(), "what is left is kept for deletions");
    return DiskIsFull();
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status status;
  {
    const Unsanitized unsanitized;
    status = db_->Write(options, &batch);
  }
  if (status.ok()) {
    // A deletion tells nothing of whether there is room for more.
    if (kind == Kind::kAdds) {
      // The change is there: that it cannot be told, for want of memory, is no reason to fail. The
      // next one tells it.
      CatchToStatus("telling of the store's health", [this] {
        health_->SetGood();
        return OkStatus();
      }).IgnoreError();
    }
    return OkStatus();
  }
  if (HasStopped(status)) {
    health_->SetStopped(HealthAfter(status), status.ToString());
  } else if (IsFull(status)) {
    health_->SetRefused(HealthAfter(status), status.ToString());
  } else if (write_health().ok()) {
    LogError("store: {}: {}", what, status.ToString());
  }
  return FromWrite(status, what);
}

Status StoreDatabase::Flush() {
  return FromRocksDb(db_->Flush(rocksdb::FlushOptions(), handles_), "flushing the store");
}

void StoreDatabase::TryToRecover() {
  room_.Keep();
  if (write_health().ok() || !room_.ForMore()) return;
  // OK also when it has recovered by itself. What it says otherwise is known.
  if (db_->Resume().ok()) health_->SetRecovered();
}

}  // namespace facegate
