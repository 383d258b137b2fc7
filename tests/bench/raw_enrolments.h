#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"

namespace facegate {

// RocksDB alone, with the rows that the gallery writes for the enrolment of a new identity with one
// template: as many bytes under keys like its own, a batch for each, synced. What a gallery can
// reach at most.
class RawEnrolments {
 public:
  // The database is made in `directory`.
  static StatusOr<std::unique_ptr<RawEnrolments>> Open(const std::filesystem::path& directory,
                                                       const std::vector<Embedding>& faces);
  ~RawEnrolments();
  RawEnrolments(const RawEnrolments&) = delete;
  RawEnrolments& operator=(const RawEnrolments&) = delete;

  // One enrolment; any number of threads at once.
  Status Write();

 private:
  RawEnrolments() = default;

  std::vector<std::pair<std::string, std::string>> values_;  // of identities and templates
  std::atomic<size_t> next_{1};
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // default, identities, templates
};

}  // namespace facegate
