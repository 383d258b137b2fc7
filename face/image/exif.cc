#include "face/image/exif.h"

#include <cstdint>
#include <optional>

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr std::string_view kExifPrefix{"Exif\0\0", 6};
constexpr std::string_view kLittleEndianTiff{"II*\0", 4};
constexpr std::string_view kBigEndianTiff{"MM\0*", 4};
constexpr uint16_t kOrientationTag = 0x0112;
constexpr uint16_t kTypeShort = 3;
constexpr uint16_t kTypeLong = 4;
constexpr size_t kEntryBytes = 12;

// Reads numbers in the byte order that the TIFF header names.
class TiffCursor {
 public:
  TiffCursor(std::string_view in, bool big_endian) : in_(in), big_endian_(big_endian) {}

  template <typename T>
  std::optional<T> Take() {
    return big_endian_ ? TakeBigEndian<T>(in_) : TakeLittleEndian<T>(in_);
  }
  // False when the offset lies beyond the end.
  bool Skip(size_t bytes) {
    if (bytes > in_.size()) return false;
    in_.remove_prefix(bytes);
    return true;
  }

 private:
  std::string_view in_;
  bool big_endian_;
};

// The value of one 12-byte directory entry: tag, type, count, and the value itself where it fits
// into four bytes.
std::optional<uint32_t> OrientationOfEntry(TiffCursor entry) {
  const auto tag = entry.Take<uint16_t>();
  const auto type = entry.Take<uint16_t>();
  const auto count = entry.Take<uint32_t>();
  if (!count.has_value() || *count != 1 || *tag != kOrientationTag) return std::nullopt;
  if (*type == kTypeShort) return entry.Take<uint16_t>();
  if (*type == kTypeLong) return entry.Take<uint32_t>();
  return std::nullopt;
}

}  // namespace

int ExifOrientation(std::string_view block) {
  if (block.starts_with(kExifPrefix)) block.remove_prefix(kExifPrefix.size());
  const bool big_endian = block.starts_with(kBigEndianTiff);
  if (!big_endian && !block.starts_with(kLittleEndianTiff)) return 1;

  TiffCursor header(block, big_endian);
  header.Skip(kBigEndianTiff.size());
  const auto directory_offset = header.Take<uint32_t>();
  TiffCursor directory(block, big_endian);
  if (!directory_offset.has_value() || !directory.Skip(*directory_offset)) return 1;
  const auto entries = directory.Take<uint16_t>();
  if (!entries.has_value()) return 1;
  for (uint32_t i = 0; i < *entries; ++i) {
    const auto orientation = OrientationOfEntry(directory);
    if (orientation.has_value()) {
      return *orientation >= 1 && *orientation <= 8 ? static_cast<int>(*orientation) : 1;
    }
    if (!directory.Skip(kEntryBytes)) return 1;
  }
  return 1;
}

}  // namespace facegate
