#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

// The bytes of a pack; trainer/FORMAT.md is the specification. Nothing here touches files.
namespace facegate {

constexpr uint32_t kPackVersion = 1;
constexpr size_t kPackHeaderBytes = 16;
constexpr size_t kPackFooterBytes = 84;
constexpr size_t kPackEntryBytes = 16;  // of the index
constexpr size_t kMaxPackNameBytes = 4096;

// A photo in a pack; the views are into the pack's bytes.
struct PackRecord {
  uint32_t label = 0;
  std::string_view name;   // what its source calls it, 1 to 4096 bytes
  std::string_view image;  // encoded, 1 byte to 256 MiB
};

// A photo as the index describes it.
struct PackEntry {
  uint64_t offset = 0;  // of the record, from the start of the file
  uint32_t label = 0;
  uint32_t crc = 0;  // the record's own
};

// True when a file begins as a pack does, of whatever version.
bool LooksLikePack(std::string_view start);

std::string PackHeader();
// kInvalidArgument for names or images past their limits.
StatusOr<std::string> SerializePackRecord(const PackRecord& record);
// Index and class names.
std::string SerializePackIndex(std::span<const PackEntry> entries,
                               std::span<const std::string> classes);

struct PackFooter {
  uint64_t photos = 0;
  uint64_t classes = 0;
  uint64_t index_offset = 0;
  uint64_t names_offset = 0;
  uint32_t index_crc = 0;  // of index and names
  std::string digest;      // sha256 of everything before the footer, 32 bytes
};
std::string SerializePackFooter(const PackFooter& footer);

// Reads the record at `offset` of `bytes`, which must end before `end`. kDataLoss when it does not
// fit or its sum is wrong.
struct CheckedRecord {
  PackRecord record;
  uint64_t end = 0;  // where the next one begins
  uint32_t crc = 0;
};
StatusOr<CheckedRecord> ReadPackRecord(std::string_view bytes, uint64_t offset, uint64_t end);

// A whole pack. What it reads are any bytes: each number is checked against the size before it is
// used, and memory is taken in proportion to the bytes that are there.
class PackView {
 public:
  // Checks all but the records. `bytes` outlive it. kInvalidArgument for what is no pack, is of a
  // later version or was not finished; kDataLoss for a damaged one.
  static StatusOr<PackView> Parse(std::string_view bytes);

  size_t size() const { return entries_.size(); }
  const std::vector<std::string>& classes() const { return classes_; }
  uint32_t label(size_t i) const { return entries_[i].label; }
  const std::string& digest() const { return footer_.digest; }
  // Checks the record. kDataLoss when it is damaged.
  StatusOr<PackRecord> Record(size_t i) const;
  // The photo's name without a check of its record; empty when it cannot be found.
  std::string_view Name(size_t i) const;

 private:
  PackView() = default;
  Status ReadIndex(std::string_view index);
  Status ReadNames(std::string_view names);
  uint64_t EndOf(size_t i) const {
    return i + 1 < entries_.size() ? entries_[i + 1].offset : footer_.index_offset;
  }

  std::string_view bytes_;
  PackFooter footer_;
  std::vector<PackEntry> entries_;
  std::vector<std::string> classes_;
};

}  // namespace facegate
