#include "trainer/photos/pack_format.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "face/base/check.h"
#include "face/base/coding.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

constexpr std::string_view kHeaderMagic(
    "\x89"
    "FGP\r\n\x1a\n",
    8);
constexpr std::string_view kFooterMagic("FGPKEND\n", 8);
constexpr size_t kRecordHeadBytes = 12;
constexpr size_t kLeastRecordBytes = kRecordHeadBytes + 2 + 4;
constexpr size_t kDigestBytes = 32;

// Callers have checked the size.
template <typename T>
T Take(std::string_view& in) {
  const std::optional<T> value = TakeLittleEndian<T>(in);
  FACEGATE_CHECK(value.has_value());
  return *value;
}

std::string_view TakeBytes(std::string_view& in, size_t count) {
  const std::string_view taken = in.substr(0, count);
  in.remove_prefix(count);
  return taken;
}

Status CheckHeader(std::string_view bytes) {
  if (!LooksLikePack(bytes)) return InvalidArgument("not a pack: it begins otherwise");
  if (bytes.size() < kPackHeaderBytes) {
    return InvalidArgument(fmt::format("{} bytes are too few for a pack", bytes.size()));
  }
  std::string_view rest = bytes.substr(kHeaderMagic.size());
  const auto version = Take<uint32_t>(rest);
  if (Take<uint32_t>(rest) != Crc32c(bytes.substr(0, kPackHeaderBytes - 4))) {
    return DataLoss("the header is damaged");
  }
  if (version != kPackVersion) {
    return InvalidArgument(
        fmt::format("a pack of version {}; this program reads version {}", version, kPackVersion));
  }
  return OkStatus();
}

StatusOr<PackFooter> ReadFooter(std::string_view bytes) {
  if (bytes.size() < kPackHeaderBytes + kPackFooterBytes || !bytes.ends_with(kFooterMagic)) {
    return InvalidArgument(
        "the pack has no end: it was cut off, or packing it was not finished (run the same "
        "facegate-train pack again)");
  }
  const uint64_t footer_offset = bytes.size() - kPackFooterBytes;
  std::string_view rest = bytes.substr(footer_offset);
  const uint32_t expected = Crc32c(rest.substr(0, kPackFooterBytes - 12));
  PackFooter footer;
  footer.photos = Take<uint64_t>(rest);
  footer.classes = Take<uint64_t>(rest);
  footer.index_offset = Take<uint64_t>(rest);
  footer.names_offset = Take<uint64_t>(rest);
  footer.index_crc = Take<uint32_t>(rest);
  rest.remove_prefix(4);  // reserved
  footer.digest = TakeBytes(rest, kDigestBytes);
  if (Take<uint32_t>(rest) != expected) return DataLoss("the footer is damaged");
  // The sum guards against damage, not against a file that was made to mislead.
  if (footer.index_offset < kPackHeaderBytes || footer.names_offset < footer.index_offset ||
      footer.names_offset > footer_offset ||
      (footer.names_offset - footer.index_offset) / kPackEntryBytes != footer.photos ||
      (footer.names_offset - footer.index_offset) % kPackEntryBytes != 0) {
    return DataLoss(fmt::format(
        "the footer contradicts itself: {} photos, an index from {} to {}, {} bytes in all",
        footer.photos, footer.index_offset, footer.names_offset, bytes.size()));
  }
  return footer;
}

}  // namespace

bool LooksLikePack(std::string_view start) { return start.starts_with(kHeaderMagic); }

std::string PackHeader() {
  std::string bytes(kHeaderMagic);
  AppendLittleEndian(bytes, kPackVersion);
  AppendLittleEndian(bytes, Crc32c(bytes));
  return bytes;
}

StatusOr<std::string> SerializePackRecord(const PackRecord& record) {
  if (record.name.empty() || record.name.size() > kMaxPackNameBytes) {
    return InvalidArgument(fmt::format("a photo's name has {} bytes, expected 1 to {}",
                                       record.name.size(), kMaxPackNameBytes));
  }
  if (record.image.empty() || record.image.size() > kMaxTrainingPhotoBytes) {
    return InvalidArgument(fmt::format("a photo has {} bytes, expected 1 to {}",
                                       record.image.size(), kMaxTrainingPhotoBytes));
  }
  std::string bytes;
  bytes.reserve(kRecordHeadBytes + record.name.size() + record.image.size() + 4);
  AppendLittleEndian(bytes, record.label);
  AppendLittleEndian(bytes, static_cast<uint32_t>(record.name.size()));
  AppendLittleEndian(bytes, static_cast<uint32_t>(record.image.size()));
  bytes.append(record.name).append(record.image);
  AppendLittleEndian(bytes, Crc32c(bytes));
  return bytes;
}

std::string SerializePackIndex(std::span<const PackEntry> entries,
                               std::span<const std::string> classes) {
  std::string bytes;
  bytes.reserve(entries.size() * kPackEntryBytes);
  for (const PackEntry& entry : entries) {
    AppendLittleEndian(bytes, entry.offset);
    AppendLittleEndian(bytes, entry.label);
    AppendLittleEndian(bytes, entry.crc);
  }
  for (const std::string& name : classes) {
    AppendLittleEndian(bytes, static_cast<uint32_t>(name.size()));
    bytes.append(name);
  }
  return bytes;
}

std::string SerializePackFooter(const PackFooter& footer) {
  FACEGATE_CHECK(footer.digest.size() == kDigestBytes);
  std::string bytes;
  AppendLittleEndian(bytes, footer.photos);
  AppendLittleEndian(bytes, footer.classes);
  AppendLittleEndian(bytes, footer.index_offset);
  AppendLittleEndian(bytes, footer.names_offset);
  AppendLittleEndian(bytes, footer.index_crc);
  AppendLittleEndian(bytes, uint32_t{0});
  bytes.append(footer.digest);
  AppendLittleEndian(bytes, Crc32c(bytes));
  bytes.append(kFooterMagic);
  FACEGATE_CHECK(bytes.size() == kPackFooterBytes);
  return bytes;
}

StatusOr<CheckedRecord> ReadPackRecord(std::string_view bytes, uint64_t offset, uint64_t end) {
  if (end > bytes.size() || offset > end || end - offset < kLeastRecordBytes) {
    return DataLoss(fmt::format("no whole record at byte {}", offset));
  }
  const std::string_view whole = bytes.substr(offset, end - offset);
  std::string_view rest = whole;
  CheckedRecord checked;
  checked.record.label = Take<uint32_t>(rest);
  const uint64_t name_size = Take<uint32_t>(rest);
  const uint64_t image_size = Take<uint32_t>(rest);
  if (name_size == 0 || name_size > kMaxPackNameBytes || image_size == 0 ||
      image_size > kMaxTrainingPhotoBytes || name_size + image_size + 4 > rest.size()) {
    return DataLoss(fmt::format("the record at byte {} is damaged: sizes {} and {}", offset,
                                name_size, image_size));
  }
  checked.record.name = TakeBytes(rest, name_size);
  checked.record.image = TakeBytes(rest, image_size);
  checked.crc = Take<uint32_t>(rest);
  const size_t summed = kRecordHeadBytes + name_size + image_size;
  if (checked.crc != Crc32c(whole.substr(0, summed))) {
    return DataLoss(fmt::format("the record at byte {} is damaged: its checksum is wrong", offset));
  }
  checked.end = offset + summed + 4;
  return checked;
}

StatusOr<PackView> PackView::Parse(std::string_view bytes) {
  FACEGATE_RETURN_IF_ERROR(CheckHeader(bytes));
  PackView view;
  view.bytes_ = bytes;
  FACEGATE_ASSIGN_OR_RETURN(view.footer_, ReadFooter(bytes));
  const PackFooter& footer = view.footer_;
  const uint64_t footer_offset = bytes.size() - kPackFooterBytes;
  const std::string_view summed =
      bytes.substr(footer.index_offset, footer_offset - footer.index_offset);
  if (Crc32c(summed) != footer.index_crc) return DataLoss("the index is damaged");
  const size_t index_bytes = footer.names_offset - footer.index_offset;
  FACEGATE_RETURN_IF_ERROR(view.ReadNames(summed.substr(index_bytes)));
  FACEGATE_RETURN_IF_ERROR(view.ReadIndex(summed.substr(0, index_bytes)));
  return view;
}

Status PackView::ReadIndex(std::string_view index) {
  entries_.reserve(footer_.photos);
  uint64_t least = kPackHeaderBytes;
  for (uint64_t i = 0; i < footer_.photos; ++i) {
    PackEntry entry;
    entry.offset = Take<uint64_t>(index);
    entry.label = Take<uint32_t>(index);
    entry.crc = Take<uint32_t>(index);
    const bool first_lies_elsewhere = i == 0 && entry.offset != kPackHeaderBytes;
    if (first_lies_elsewhere || entry.offset < least || entry.offset >= footer_.index_offset ||
        footer_.index_offset - entry.offset < kLeastRecordBytes || entry.label >= classes_.size()) {
      return DataLoss(fmt::format("entry {} of the index is wrong: byte {}, label {} of {}", i,
                                  entry.offset, entry.label, classes_.size()));
    }
    least = entry.offset + kLeastRecordBytes;
    entries_.push_back(entry);
  }
  return OkStatus();
}

Status PackView::ReadNames(std::string_view names) {
  // Each name takes five bytes at least.
  if (footer_.classes > names.size() / 5) {
    return DataLoss(
        fmt::format("{} identities in {} bytes of names", footer_.classes, names.size()));
  }
  classes_.reserve(footer_.classes);
  for (uint64_t i = 0; i < footer_.classes; ++i) {
    const std::optional<uint32_t> size = TakeLittleEndian<uint32_t>(names);
    if (!size.has_value() || *size == 0 || *size > kMaxPackNameBytes || *size > names.size()) {
      return DataLoss(fmt::format("the name of identity {} is damaged", i));
    }
    classes_.emplace_back(TakeBytes(names, *size));
  }
  if (!names.empty()) return DataLoss(fmt::format("{} bytes behind the names", names.size()));
  return OkStatus();
}

StatusOr<PackRecord> PackView::Record(size_t i) const {
  const uint64_t end = EndOf(i);
  FACEGATE_ASSIGN_OR_RETURN(const CheckedRecord checked,
                            ReadPackRecord(bytes_, entries_[i].offset, end));
  if (checked.end != end || checked.crc != entries_[i].crc ||
      checked.record.label != entries_[i].label) {
    return DataLoss(
        fmt::format("the record at byte {} is not the one of the index", entries_[i].offset));
  }
  return checked.record;
}

std::string_view PackView::Name(size_t i) const {
  const uint64_t offset = entries_[i].offset;
  std::string_view rest = bytes_.substr(offset, EndOf(i) - offset);
  rest.remove_prefix(4);
  const auto size = Take<uint32_t>(rest);
  rest.remove_prefix(4);
  if (size > kMaxPackNameBytes || size > rest.size()) return {};
  return rest.substr(0, size);
}

}  // namespace facegate
