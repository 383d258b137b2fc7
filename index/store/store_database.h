#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "index/store/disk_room.h"
#include "index/store/key_codec.h"
#include "index/store/write_health.h"

namespace facegate {

// The RocksDB database of a store: how it is opened, written, closed, and what its errors come to.
// Thread-safe.
class StoreDatabase {
 public:
  // Makes directory and database where absent.
  static StatusOr<std::unique_ptr<StoreDatabase>> Open(const std::string& directory,
                                                       WriteHealth::OnChange on_write_health);
  // Leaves nothing in the log.
  ~StoreDatabase();
  StoreDatabase(const StoreDatabase&) = delete;
  StoreDatabase& operator=(const StoreDatabase&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* HandleOf(Family family) const;

  // A write needs room on the disk, or makes some.
  enum class Kind { kAdds, kTakesAway };

  // Synced; `what` names the write in errors.
  Status Write(rocksdb::WriteBatch& batch, std::string_view what, Kind kind);
  // Empties the memory tables, and with that the logs.
  Status Flush();

  Status write_health() const { return health_->state(); }
  // Makes a database that has stopped after an error go on, where that can be, and keeps room on
  // the disk; to be called now and then.
  void TryToRecover();

 private:
  class Listener;

  StoreDatabase(const std::string& directory, std::shared_ptr<WriteHealth> health, rocksdb::DB* db,
                std::vector<rocksdb::ColumnFamilyHandle*> handles)
      : room_(directory), health_(std::move(health)), db_(db), handles_(std::move(handles)) {}

  DiskRoom room_;

  // Shared with the listener, which RocksDB keeps.
  const std::shared_ptr<WriteHealth> health_;
  const std::unique_ptr<rocksdb::DB> db_;
  // The handle of the default family, which RocksDB insists on and which stays empty, then those of
  // kFamilies.
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

// The size of the tables of a family: what an erasure rewrites at least.
uint64_t TableBytes(Family family);

// Turns RocksDB's error into what callers are told. Its own text names files and offsets: it goes
// to the operator's log. `what` was being done.
Status FromRocksDb(const rocksdb::Status& status, std::string_view what);
// The same before there are callers: the message says which file is damaged.
Status FromLoading(const rocksdb::Status& status, std::string_view what);

}  // namespace facegate
