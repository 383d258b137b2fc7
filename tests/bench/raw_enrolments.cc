#include "tests/bench/raw_enrolments.h"

#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <cstdint>

#include "face/base/clock.h"
#include "index/store/envelope.h"
#include "index/store/key_codec.h"
#include "index/store/template_record.h"
#include "tests/bench/gallery_load_store.h"

namespace facegate {
namespace {

Status FromRaw(const rocksdb::Status& status) {
  return status.ok() ? OkStatus() : Internal("RocksDB alone: " + status.ToString());
}

// As long as those of the gallery's enrolments.
std::pair<std::string, std::string> ValuesOf(const Embedding& face) {
  const TemplateKey key{.owner = {.collection = 1, .identity = 1'000'001},
                        .template_id = 1'000'002};
  const int64_t now = Clock::System().UnixMicros();
  const std::string identity = EncodeIdentity({.key = key.owner,
                                               .id = "writer-0-1000000",
                                               .create_time_us = now,
                                               .update_time_us = now,
                                               .revision = 1,
                                               .labels = {}});
  const std::string record = EncodeTemplate({.key = key,
                                             .embedding = face,
                                             .model = LoadModel(),
                                             .detector = "none",
                                             .create_time_us = now});
  return {SealEnvelope(Family::kIdentities, EncodeIdentityKey(key.owner), identity),
          SealEnvelope(Family::kTemplates, EncodeTemplateKey(key), record)};
}

}  // namespace

StatusOr<std::unique_ptr<RawEnrolments>> RawEnrolments::Open(const std::filesystem::path& directory,
                                                             const std::vector<Embedding>& faces) {
  std::unique_ptr<RawEnrolments> raw(new RawEnrolments());
  for (const Embedding& face : faces) raw->values_.push_back(ValuesOf(face));
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_total_wal_size = uint64_t{256} << 20;
  rocksdb::ColumnFamilyOptions family;
  family.compression = rocksdb::kNoCompression;
  family.write_buffer_size = size_t{32} << 20;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, directory.string(),
                                                   {{rocksdb::kDefaultColumnFamilyName, family},
                                                    {FamilyName(Family::kIdentities), family},
                                                    {FamilyName(Family::kTemplates), family}},
                                                   &raw->handles_, &db);
  FACEGATE_RETURN_IF_ERROR(FromRaw(opened));
  raw->db_.reset(db);
  return raw;
}

RawEnrolments::~RawEnrolments() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
}

Status RawEnrolments::Write() {
  const size_t number = next_.fetch_add(1);
  const IdentityKey owner{.collection = 1, .identity = 2 * number};
  const auto& [identity, face] = values_[number % values_.size()];
  rocksdb::WriteBatch batch;
  FACEGATE_RETURN_IF_ERROR(FromRaw(batch.Put(handles_[1], EncodeIdentityKey(owner), identity)));
  FACEGATE_RETURN_IF_ERROR(FromRaw(batch.Put(
      handles_[2], EncodeTemplateKey({.owner = owner, .template_id = 2 * number + 1}), face)));
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromRaw(db_->Write(options, &batch));
}

}  // namespace facegate
