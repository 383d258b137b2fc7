#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "face/base/check.h"
#include "index/store/envelope.h"
#include "index/store/key_codec.h"

namespace facegate {

// The store's database without its rules, to do to it what must be found out.
class RawStore {
 public:
  explicit RawStore(const std::string& directory) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families{
        {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()}};
    for (const Family family : kFamilies) {
      families.emplace_back(FamilyName(family), rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DBOptions options;
    options.create_missing_column_families = true;  // an earlier format lacks some
    rocksdb::DB* db = nullptr;
    FACEGATE_CHECK(rocksdb::DB::Open(options, directory, families, &handles_, &db).ok());
    db_.reset(db);
  }
  ~RawStore() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      FACEGATE_CHECK(db_->DestroyColumnFamilyHandle(handle).ok());
    }
  }
  RawStore(const RawStore&) = delete;
  RawStore& operator=(const RawStore&) = delete;

  std::string Get(Family family, const std::string& key) {
    std::string value;
    FACEGATE_CHECK(db_->Get(rocksdb::ReadOptions(), HandleOf(family), key, &value).ok());
    return value;
  }
  void Put(Family family, const std::string& key, const std::string& value) {
    FACEGATE_CHECK(db_->Put(rocksdb::WriteOptions(), HandleOf(family), key, value).ok());
  }
  // In its envelope.
  void PutPayload(Family family, const std::string& key, const std::string& payload) {
    Put(family, key, SealEnvelope(family, key, payload));
  }
  std::string GetPayload(Family family, const std::string& key) {
    const std::string value = Get(family, key);
    const auto payload = OpenEnvelope(family, key, value);
    FACEGATE_CHECK(payload.ok());
    return std::string(*payload);
  }
  void Delete(Family family, const std::string& key) {
    FACEGATE_CHECK(db_->Delete(rocksdb::WriteOptions(), HandleOf(family), key).ok());
  }
  // Adds a family that no program knows.
  void Add(const std::string& family) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    FACEGATE_CHECK(db_->CreateColumnFamily({}, family, &handle).ok());
    handles_.push_back(handle);
  }
  // Removes the family with all that is in it; as before there was such a family.
  void Drop(Family family) { FACEGATE_CHECK(db_->DropColumnFamily(HandleOf(family)).ok()); }
  // Lists the keys in order.
  std::vector<std::string> Keys(Family family) {
    std::vector<std::string> keys;
    const std::unique_ptr<rocksdb::Iterator> row(
        db_->NewIterator(rocksdb::ReadOptions(), HandleOf(family)));
    for (row->SeekToFirst(); row->Valid(); row->Next()) keys.push_back(row->key().ToString());
    return keys;
  }

 private:
  rocksdb::ColumnFamilyHandle* HandleOf(Family family) {
    return handles_[static_cast<size_t>(family)];
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace facegate
