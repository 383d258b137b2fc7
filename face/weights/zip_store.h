#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The entries of a zip archive (PKWARE APPNOTE 6.3) that stores them uncompressed, as torch.save
// does: the central directory decides, also with zip64 records and with data descriptors.
class ZipStore {
 public:
  // The archive must begin at the first byte and end with the last. kInvalidArgument for repeated
  // entries, for entries that together are larger than the archive, for several volumes and for a
  // directory outside it. The views that Read() gives are into `archive`, which must outlive the
  // store.
  static StatusOr<ZipStore> Open(std::string_view archive);

  // An entry as the directory describes it; unchecked.
  struct Entry {
    uint64_t size = 0;
    uint64_t compressed = 0;
    uint64_t header_offset = 0;
    uint32_t crc32 = 0;  // 0 where the writer left it out
    uint16_t flags = 0;
    uint16_t method = 0;
  };
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

  // The bytes of an entry, checked against its CRC-32. kNotFound when there is none of that name;
  // kInvalidArgument when it is compressed or encrypted, leaves the archive or is damaged.
  StatusOr<std::string_view> Read(std::string_view name) const;

 private:
  explicit ZipStore(std::string_view archive) : archive_(archive) {}

  std::string_view archive_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace facegate
