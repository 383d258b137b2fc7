#include "face/weights/zip_writer.h"

#include <fmt/format.h>
#include <zlib.h>

#include <utility>

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kAlignment = 64;
constexpr size_t kExtraHeadBytes = 4;
constexpr uint16_t kPaddingExtra = 0x4246;  // "FB", as PyTorch calls it
constexpr uint16_t kVersion = 20;           // 2.0: of the readers that are needed
constexpr uint16_t kUtf8Names = 0x0800;     // flag bit 11
constexpr uint16_t kStored = 0;
constexpr uint16_t kTime = 0;
constexpr uint16_t kDate = 0x0021;  // 1 January 1980
constexpr uint32_t kMostEntries = 0xfffe;
constexpr uint64_t kMostBytes = 0xfffffffe;

// Says how long the extra field is that ends at a multiple of kAlignment.
size_t ExtraBytes(size_t begin) {
  return kExtraHeadBytes + (kAlignment - (begin + kExtraHeadBytes) % kAlignment) % kAlignment;
}

// The fields that local and central records share, from the version on.
std::string CommonFields(std::string_view name, std::string_view content, size_t extra_bytes) {
  const auto crc = static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  std::string fields;
  for (const uint16_t value : {kVersion, kUtf8Names, kStored, kTime, kDate}) {
    AppendLittleEndian(fields, value);
  }
  AppendLittleEndian(fields, crc);
  AppendLittleEndian(fields, static_cast<uint32_t>(content.size()));  // compressed
  AppendLittleEndian(fields, static_cast<uint32_t>(content.size()));
  AppendLittleEndian(fields, static_cast<uint16_t>(name.size()));
  AppendLittleEndian(fields, static_cast<uint16_t>(extra_bytes));
  return fields;
}

}  // namespace

Status ZipWriter::Add(std::string_view name, std::string_view content) {
  const uint64_t offset = archive_.size();
  const size_t extra = ExtraBytes(offset + kLocalBytes + name.size());
  const uint64_t local = kLocalBytes + name.size() + extra;
  const uint64_t directory = directory_.size() + kCentralBytes + name.size();
  if (name.empty() || name.size() > 0xffff || entries_ == kMostEntries ||
      content.size() > kMostBytes ||
      offset + local + content.size() + directory + kEndBytes > kMostBytes) {
    return InvalidArgument(
        fmt::format("zip archive: entry {} of {} bytes does not fit, an archive is written of at "
                    "most {} entries and 4 GiB",
                    entries_, content.size(), kMostEntries));
  }
  AppendLittleEndian(archive_, kLocalSignature);
  archive_ += CommonFields(name, content, extra);
  archive_ += name;
  AppendLittleEndian(archive_, kPaddingExtra);
  AppendLittleEndian(archive_, static_cast<uint16_t>(extra - kExtraHeadBytes));
  archive_.append(extra - kExtraHeadBytes, 'Z');
  archive_ += content;

  AppendLittleEndian(directory_, kCentralSignature);
  AppendLittleEndian(directory_, kVersion);  // of the writer
  directory_ += CommonFields(name, content, 0);
  directory_.append(10, '\0');  // no comment, the first volume, no attributes
  AppendLittleEndian(directory_, static_cast<uint32_t>(offset));
  directory_ += name;
  ++entries_;
  return OkStatus();
}

std::string ZipWriter::Finish() {
  const auto offset = static_cast<uint32_t>(archive_.size());
  const auto entries = static_cast<uint16_t>(entries_);
  archive_ += directory_;
  AppendLittleEndian(archive_, kEndSignature);
  AppendLittleEndian(archive_, uint32_t{0});  // this volume, that of the directory
  AppendLittleEndian(archive_, entries);      // here
  AppendLittleEndian(archive_, entries);
  AppendLittleEndian(archive_, static_cast<uint32_t>(directory_.size()));
  AppendLittleEndian(archive_, offset);
  AppendLittleEndian(archive_, uint16_t{0});  // no comment
  directory_.clear();
  entries_ = 0;
  return std::exchange(archive_, {});
}

}  // namespace facegate
