// The store's decoders: keys, envelopes and the record of each family. What decodes is encoded and
// decoded again, and must be the same; what does not is kStoreCorrupt, or kFailedPrecondition for
// an envelope of a later version.
#include <google/protobuf/stubs/logging.h>

#include "face/base/check.h"
#include "index/store/envelope.h"
#include "index/store/template_record.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/stored_record.h"

namespace facegate {
namespace {

void CheckCorrupt(const Status& status) {
  FACEGATE_CHECK(ReasonOf(status) == Reason::kStoreCorrupt);
  FACEGATE_CHECK(status.code() == CodeOf(Reason::kStoreCorrupt));
}

// `decode` makes a record of a payload, `encode` a payload of a record. Records are compared as
// the bytes that they are encoded to, so that a number that is not one equals itself.
template <typename Decode, typename Encode>
void RunPayload(std::string_view payload, Decode decode, Encode encode) {
  const auto record = decode(payload);
  if (!record.ok()) {
    CheckCorrupt(record.status());
    return;
  }
  const ExactCopy encoded(encode(*record));
  const auto again = decode(encoded.view());
  FACEGATE_CHECK(again.ok());
  FACEGATE_CHECK(encode(*again) == encoded.view());
}

void RunCollection(std::string_view key, std::string_view payload) {
  const std::optional<uint64_t> uid = DecodeCollectionKey(key);
  if (!uid) return;
  FACEGATE_CHECK(EncodeCollectionKey(*uid) == key && LargestUid(*uid) < kUidLimit);
  FACEGATE_CHECK(!DescribeKey(*uid).empty());
  RunPayload(
      payload, [&](std::string_view bytes) { return DecodeCollection(*uid, bytes); },
      EncodeCollection);
}

void RunIdentity(std::string_view key, std::string_view payload) {
  const std::optional<IdentityKey> decoded = DecodeIdentityKey(key);
  if (!decoded) return;
  FACEGATE_CHECK(EncodeIdentityKey(*decoded) == key && LargestUid(*decoded) < kUidLimit);
  FACEGATE_CHECK(!DescribeKey(*decoded).empty());
  RunPayload(
      payload, [&](std::string_view bytes) { return DecodeIdentity(*decoded, bytes); },
      EncodeIdentity);
}

void RunTemplate(std::string_view key, std::string_view payload) {
  const std::optional<TemplateKey> decoded = DecodeTemplateKey(key);
  if (!decoded) return;
  FACEGATE_CHECK(EncodeTemplateKey(*decoded) == key && LargestUid(*decoded) < kUidLimit);
  FACEGATE_CHECK(!DescribeKey(*decoded).empty());
  RunPayload(
      payload, [&](std::string_view bytes) { return DecodeTemplate(*decoded, bytes); },
      EncodeTemplate);
}

void RunRequest(std::string_view key, std::string_view payload) {
  const std::optional<RequestKey> decoded = DecodeRequestKey(key);
  if (!decoded) return;
  FACEGATE_CHECK(EncodeRequestKey(*decoded) == key && LargestUid(*decoded) < kUidLimit);
  FACEGATE_CHECK(!DescribeKey(*decoded).empty());
  RunPayload(
      payload, [&](std::string_view bytes) { return DecodeRequest(*decoded, bytes); },
      EncodeRequest);
}

// Its payload is a picture, which the store does not read.
void RunCrop(std::string_view key) {
  const std::optional<FaceKey> decoded = DecodeCropKey(key);
  if (!decoded) return;
  FACEGATE_CHECK(EncodeCropKey(*decoded) == key && LargestUid(*decoded) < kUidLimit);
  FACEGATE_CHECK(!DescribeKey(*decoded).empty());
}

void RunFamily(const StoredRecord& record, std::string_view payload) {
  switch (record.family) {
    case Family::kMeta:
      RunPayload(payload, DecodeCounters, EncodeCounters);
      break;
    case Family::kCollections:
      RunCollection(record.key, payload);
      break;
    case Family::kIdentities:
      RunIdentity(record.key, payload);
      break;
    case Family::kTemplates:
      RunTemplate(record.key, payload);
      break;
    case Family::kRequests:
      RunRequest(record.key, payload);
      break;
    case Family::kCrops:
      RunCrop(record.key);
      break;
  }
}

void RunRecord(const StoredRecord& record) {
  std::string stored(record.value);
  if (!record.has_checksum) {
    AppendLittleEndian(stored, StoredChecksum(record.family, record.key, stored));
  }
  const ExactCopy value(stored);
  const StatusOr<std::string_view> payload = OpenEnvelope(record.family, record.key, value.view());
  if (payload.ok()) {
    // What an earlier version sealed has another header.
    const std::string again = SealEnvelope(record.family, record.key, *payload);
    FACEGATE_CHECK(again == value.view() || again.front() != value.view().front());
    RunFamily(record, ExactCopy(*payload).view());
  } else if (payload.status().code() != StatusCode::kFailedPrecondition) {
    CheckCorrupt(payload.status());
  }
  // Any bytes can be sealed, and come out as they went in.
  const std::string sealed = SealEnvelope(record.family, record.key, record.value);
  const StatusOr<std::string_view> opened = OpenEnvelope(record.family, record.key, sealed);
  FACEGATE_CHECK(opened.ok() && *opened == record.value);
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = [] {
    google::protobuf::SetLogHandler(nullptr);  // it has a line for each text that is not UTF-8
    return true;
  }();
  static_cast<void>(quiet);
  const auto record = facegate::ReadStoredRecord(facegate::AsText(data, size));
  if (record) facegate::RunRecord(*record);
  return 0;
}
