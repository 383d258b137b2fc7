#include "tests/support/pack_bytes.h"

#include "face/base/check.h"
#include "face/base/coding.h"
#include "face/base/sha256.h"

namespace facegate {
namespace {

std::string Record(const PackRecord& record) {
  StatusOr<std::string> bytes = SerializePackRecord(record);
  FACEGATE_CHECK(bytes.ok());
  return *std::move(bytes);
}

std::string Finish(std::string records, const std::vector<PackEntry>& entries,
                   const std::vector<std::string>& classes) {
  const std::string index = SerializePackIndex(entries, classes);
  PackFooter footer{.photos = entries.size(),
                    .classes = classes.size(),
                    .index_offset = records.size(),
                    .names_offset = records.size() + entries.size() * kPackEntryBytes,
                    .index_crc = Crc32c(index),
                    .digest = {}};
  Sha256 digest;
  digest.Update(records);
  digest.Update(index);
  footer.digest = digest.Digest();
  return records + index + SerializePackFooter(footer);
}

}  // namespace

std::string PackBytes(const std::vector<PackRecord>& records,
                      const std::vector<std::string>& classes) {
  std::string bytes = PackHeader();
  std::vector<PackEntry> entries;
  entries.reserve(records.size());
  for (const PackRecord& record : records) {
    const std::string one = Record(record);
    std::string_view sum = std::string_view(one).substr(one.size() - 4);
    entries.push_back({.offset = bytes.size(),
                       .label = record.label,
                       .crc = TakeLittleEndian<uint32_t>(sum).value_or(0)});
    bytes += one;
  }
  return Finish(std::move(bytes), entries, classes);
}

std::string PackWithIndex(const std::vector<PackEntry>& entries) {
  return Finish(PackHeader() + Record({.label = 0, .name = "a/1", .image = "photo"}), entries,
                {"a"});
}

std::string WithFooterNumber(std::string pack, size_t field, uint64_t value) {
  const size_t footer = pack.size() - kPackFooterBytes;
  std::string number;
  AppendLittleEndian(number, value);
  pack.replace(footer + 8 * field, 8, number);
  std::string sum;
  AppendLittleEndian(sum, Crc32c(pack.substr(footer, kPackFooterBytes - 12)));
  pack.replace(pack.size() - 12, 4, sum);
  return pack;
}

}  // namespace facegate
