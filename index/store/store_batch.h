#pragma once

#include <rocksdb/write_batch.h>

#include <string>

#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/key_range.h"
#include "index/store/store_change.h"
#include "index/store/store_database.h"

namespace facegate {

// Records of a store on their way into its database, in their envelopes; they are written together
// or not at all. Not thread-safe.
class StoreBatch {
 public:
  // `database` must outlive the batch.
  explicit StoreBatch(const StoreDatabase& database) : database_(database) {}

  Status Put(Family family, const std::string& key, const std::string& payload);
  Status Delete(Family family, const std::string& key);
  // Adds all of `change`, what it deletes first; looks into the database for what lies below that.
  Status Add(const StoreChange& change);

  // The places in which the changes that were added delete or overwrite what must leave the files.
  const ErasedKeys& erased() const { return erased_; }

  // The form in which StoreDatabase::Write() takes it.
  rocksdb::WriteBatch& writes() { return writes_; }

 private:
  Status DeleteRange(Family family, const KeyRange& range);
  Status AddDeletions(const StoreChange& change);
  Status AddDeletedFaces(const StoreChange& change);
  Status AddRecords(const StoreChange& change);

  const StoreDatabase& database_;
  rocksdb::WriteBatch writes_;
  ErasedKeys erased_;
};

}  // namespace facegate
