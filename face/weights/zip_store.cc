#include "face/weights/zip_store.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "face/base/coding.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocator64Bytes = 20;
constexpr size_t kMaxComment = 0xffff;
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kEncrypted = 0x0001;  // flag bits
constexpr uint32_t kSaturated32 = 0xffffffff;
constexpr uint16_t kSaturated16 = 0xffff;

// Fields read in order from one record; a read past the end gives 0 and makes ok() false.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  template <typename T>
  T Take() {
    const std::optional<T> value = TakeLittleEndian<T>(bytes_);
    ok_ = ok_ && value.has_value();
    return value.value_or(T{0});
  }
  uint16_t U16() { return Take<uint16_t>(); }
  uint32_t U32() { return Take<uint32_t>(); }
  uint64_t U64() { return Take<uint64_t>(); }
  std::string_view Bytes(size_t count) {
    ok_ = ok_ && count <= bytes_.size();
    const std::string_view taken = bytes_.substr(0, ok_ ? count : 0);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// The record of `size` bytes at `offset`, or empty when it is not wholly inside.
std::string_view Slice(std::string_view archive, uint64_t offset, uint64_t size) {
  if (offset > archive.size() || size > archive.size() - offset) return {};
  return archive.substr(offset, size);
}

Status Broken(std::string_view what) {
  return InvalidArgument(fmt::format("zip archive: {}", what));
}

struct Directory {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

// The end record stands before a comment whose length must lead exactly to the end of the archive.
std::optional<uint64_t> FindEndRecord(std::string_view archive) {
  if (archive.size() < kEndBytes) return std::nullopt;
  const uint64_t last = archive.size() - kEndBytes;
  for (uint64_t back = 0; back <= std::min<uint64_t>(last, kMaxComment); ++back) {
    Fields fields(Slice(archive, last - back, kEndBytes));
    if (fields.U32() != kEndSignature) continue;
    fields.Bytes(16);
    if (fields.U16() == back) return last - back;
  }
  return std::nullopt;
}

StatusOr<Directory> ReadEnd64(std::string_view archive, uint64_t end_offset) {
  if (end_offset < kLocator64Bytes) return Broken("the zip64 locator is missing");
  Fields locator(Slice(archive, end_offset - kLocator64Bytes, kLocator64Bytes));
  if (locator.U32() != kLocator64Signature) return Broken("the zip64 locator is missing");
  locator.U32();  // volume
  Fields end(Slice(archive, locator.U64(), kEnd64Bytes));
  if (end.U32() != kEnd64Signature) return Broken("the zip64 end record is missing");
  end.U64();  // size of this record
  end.U32();  // versions
  const uint32_t volume = end.U32();
  const uint32_t first_volume = end.U32();
  const uint64_t here = end.U64();
  const Directory directory{.entries = end.U64(), .bytes = end.U64(), .offset = end.U64()};
  if (volume != 0 || first_volume != 0 || here != directory.entries) {
    return Broken("has several volumes");
  }
  return directory;
}

StatusOr<Directory> FindDirectory(std::string_view archive) {
  const std::optional<uint64_t> end_offset = FindEndRecord(archive);
  if (!end_offset)
    return Broken(
        "the end record is missing; the file was cut short (download or copy it again), or it is "
        "not an archive");
  Fields end(Slice(archive, *end_offset, kEndBytes));
  end.U32();
  const uint16_t volume = end.U16();
  const uint16_t first_volume = end.U16();
  const uint16_t here = end.U16();
  Directory directory;
  directory.entries = end.U16();
  directory.bytes = end.U32();
  directory.offset = end.U32();
  if (directory.entries == kSaturated16 || directory.bytes == kSaturated32 ||
      directory.offset == kSaturated32 || here == kSaturated16) {
    return ReadEnd64(archive, *end_offset);
  }
  if (volume != 0 || first_volume != 0 || here != directory.entries) {
    return Broken("has several volumes");
  }
  return directory;
}

// One record of the central directory.
struct CentralRecord {
  std::string_view name;
  ZipStore::Entry entry;
};

// Takes the 64-bit values of those fields that are saturated; they stand in this order.
bool ReadZip64Extra(std::string_view extra, CentralRecord& record) {
  Fields fields(extra);
  while (!fields.rest().empty()) {
    const uint16_t id = fields.U16();
    const uint16_t size = fields.U16();
    Fields values(fields.Bytes(size));
    if (!fields.ok()) return false;
    if (id != kZip64Extra) continue;
    if (record.entry.size == kSaturated32) record.entry.size = values.U64();
    if (record.entry.compressed == kSaturated32) record.entry.compressed = values.U64();
    if (record.entry.header_offset == kSaturated32) record.entry.header_offset = values.U64();
    return values.ok();
  }
  return true;
}

StatusOr<CentralRecord> TakeCentralRecord(std::string_view& directory) {
  Fields fields(directory);
  CentralRecord record;
  if (fields.U32() != kCentralSignature) return Broken("a record of the directory is broken");
  fields.U32();  // versions
  record.entry.flags = fields.U16();
  record.entry.method = fields.U16();
  fields.U32();  // time
  record.entry.crc32 = fields.U32();
  record.entry.compressed = fields.U32();
  record.entry.size = fields.U32();
  const uint16_t name_bytes = fields.U16();
  const uint16_t extra_bytes = fields.U16();
  const uint16_t comment_bytes = fields.U16();
  fields.U64();  // volume, attributes
  record.entry.header_offset = fields.U32();
  record.name = fields.Bytes(name_bytes);
  const std::string_view extra = fields.Bytes(extra_bytes);
  fields.Bytes(comment_bytes);
  if (!fields.ok() || !ReadZip64Extra(extra, record)) {
    return Broken("a record of the directory is cut short");
  }
  directory = fields.rest();
  return record;
}

Status CheckStored(std::string_view name, const ZipStore::Entry& entry) {
  if ((entry.flags & kEncrypted) != 0) {
    return Broken(fmt::format("entry {} is encrypted", Quote(name)));
  }
  if (entry.method != 0) {
    return Broken(fmt::format("entry {} is compressed by method {}, only stored entries are read",
                              Quote(name), entry.method));
  }
  if (entry.compressed != entry.size) {
    return Broken(fmt::format("entry {} is stored in {} bytes but has {}", Quote(name),
                              entry.compressed, entry.size));
  }
  return OkStatus();
}

}  // namespace

StatusOr<ZipStore> ZipStore::Open(std::string_view archive) {
  FACEGATE_ASSIGN_OR_RETURN(const Directory place, FindDirectory(archive));
  std::string_view directory = Slice(archive, place.offset, place.bytes);
  if (directory.size() != place.bytes || place.entries > place.bytes / kCentralBytes) {
    return Broken(fmt::format("a directory of {} entries in {} bytes at byte {} does not fit",
                              place.entries, place.bytes, place.offset));
  }
  ZipStore store(archive);
  uint64_t claimed = 0;
  for (uint64_t i = 0; i < place.entries; ++i) {
    FACEGATE_ASSIGN_OR_RETURN(const CentralRecord record, TakeCentralRecord(directory));
    // Entries that share bytes would let a small archive claim much.
    if (__builtin_add_overflow(claimed, record.entry.compressed, &claimed) ||
        claimed > archive.size()) {
      return Broken(
          fmt::format("the entries claim more than the {} bytes there are", archive.size()));
    }
    if (!store.entries_.emplace(record.name, record.entry).second) {
      return Broken(fmt::format("entry {} stands twice", Quote(record.name)));
    }
  }
  if (!directory.empty()) {
    return Broken(
        fmt::format("{} bytes follow the last record of the directory", directory.size()));
  }
  return store;
}

StatusOr<std::string_view> ZipStore::Read(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return NotFound(fmt::format("zip archive: there is no entry {}", Quote(name)));
  }
  const Entry& entry = found->second;
  FACEGATE_RETURN_IF_ERROR(CheckStored(name, entry));
  Fields local(Slice(archive_, entry.header_offset, kLocalBytes));
  const bool signed_here = local.U32() == kLocalSignature;
  local.Bytes(22);
  const uint16_t name_bytes = local.U16();
  const uint16_t extra_bytes = local.U16();
  if (!signed_here || !local.ok() ||
      Slice(archive_, entry.header_offset + kLocalBytes, name_bytes) != name) {
    return Broken(
        fmt::format("entry {} does not begin at byte {}", Quote(name), entry.header_offset));
  }
  const uint64_t begin = entry.header_offset + kLocalBytes + name_bytes + extra_bytes;
  const std::string_view bytes = Slice(archive_, begin, entry.size);
  if (bytes.size() != entry.size) {
    return Broken(fmt::format("entry {} of {} bytes leaves the archive", Quote(name), entry.size));
  }
  const auto crc = static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  // torch.serialization.set_crc32_options(False) leaves 0 in the place of the checksum.
  if (crc != entry.crc32 && entry.crc32 != 0) {
    return Broken(
        fmt::format("entry {} is damaged: its CRC-32 is {:08x}, the directory says {:08x}",
                    Quote(name), crc, entry.crc32));
  }
  return bytes;
}

}  // namespace facegate
