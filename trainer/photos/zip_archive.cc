#include "trainer/photos/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "face/base/coding.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLocalMagic = "PK\x03\x04"sv;
constexpr std::string_view kEntryMagic = "PK\x01\x02"sv;
constexpr std::string_view kEndMagic = "PK\x05\x06"sv;
constexpr std::string_view kEnd64Magic = "PK\x06\x06"sv;
constexpr std::string_view kLocatorMagic = "PK\x06\x07"sv;
constexpr size_t kMagicBytes = 4;
constexpr size_t kLocalBytes = 30;
constexpr size_t kEntryBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocatorBytes = 20;
constexpr size_t kMostComment = 65535;
constexpr uint16_t kZip64Extra = 1;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the number is in the extra field
constexpr uint16_t kEncrypted = 1;      // flag
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;
constexpr int kUnix = 3;  // system
constexpr uint32_t kTypeMask = 0170000;
constexpr uint32_t kFileType = 0100000;
// Deflate turns a byte into at most 1032 (RFC 1951: 258 from a quarter of a byte).
constexpr uint64_t kMaxInflation = 1032;

// Takes numbers from the front of bytes; 0 where they are at their end, which the caller has seen
// that they are not.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  uint16_t U16() { return TakeLittleEndian<uint16_t>(bytes_).value_or(0); }
  uint32_t U32() { return TakeLittleEndian<uint32_t>(bytes_).value_or(0); }
  uint64_t U64() { return TakeLittleEndian<uint64_t>(bytes_).value_or(0); }
  void Skip(size_t count) { bytes_.remove_prefix(std::min(count, bytes_.size())); }

 private:
  std::string_view bytes_;
};

// Where the directory lies.
struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
};

// The place of the record at the end, behind which there is a comment alone.
std::optional<size_t> FindEnd(std::string_view bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const size_t last = bytes.size() - kEndBytes;
  for (size_t back = 0; back <= std::min(last, kMostComment); ++back) {
    const size_t at = last - back;
    if (!bytes.substr(at).starts_with(kEndMagic)) continue;
    Fields fields(bytes.substr(at + kEndBytes - 2));
    if (fields.U16() == back) return at;
  }
  return std::nullopt;
}

StatusOr<Directory> FindDirectory(std::string_view bytes) {
  const std::optional<size_t> end = FindEnd(bytes);
  if (!end.has_value()) return DataLoss("the zip archive has no end: it was cut off");
  Fields fields(bytes.substr(*end + kMagicBytes));
  uint32_t disk = fields.U16();
  fields.Skip(6);
  Directory directory;
  directory.size = fields.U32();
  directory.offset = fields.U32();
  uint64_t limit = *end;
  if (*end >= kLocatorBytes && bytes.substr(*end - kLocatorBytes).starts_with(kLocatorMagic)) {
    Fields locator(bytes.substr(*end - kLocatorBytes + kMagicBytes));
    locator.Skip(4);
    const uint64_t at = locator.U64();
    if (at > bytes.size() || bytes.size() - at < kEnd64Bytes ||
        !bytes.substr(at).starts_with(kEnd64Magic)) {
      return DataLoss("the zip archive's end names a place where there is no end of zip64");
    }
    Fields end64(bytes.substr(at + kMagicBytes));
    end64.Skip(12);
    disk = end64.U32();
    end64.Skip(20);
    directory.size = end64.U64();
    directory.offset = end64.U64();
    limit = at;
  }
  if (disk != 0) return InvalidArgument("the zip archive is one of several parts; join them first");
  if (directory.offset > limit || directory.size > limit - directory.offset) {
    return DataLoss("the zip archive's directory reaches beyond its end");
  }
  return directory;
}

// Replaces the numbers that an entry says are in its extra field.
bool TakeZip64(std::string_view extra, ArchiveMember& member) {
  while (extra.size() >= 4) {
    const uint16_t id = TakeLittleEndian<uint16_t>(extra).value_or(0);
    const uint16_t size = TakeLittleEndian<uint16_t>(extra).value_or(0);
    if (size > extra.size()) return false;
    std::string_view body = extra.substr(0, size);
    extra.remove_prefix(size);
    if (id != kZip64Extra) continue;
    for (uint64_t* number : {&member.bytes, &member.stored_bytes, &member.offset}) {
      if (*number != kIn64) continue;
      const auto taken = TakeLittleEndian<uint64_t>(body);
      if (!taken.has_value()) return false;
      *number = *taken;
    }
  }
  return true;
}

// Slashes of Windows, where a name has no others.
std::string WithSlashes(std::string_view name) {
  std::string text(name);
  if (text.find('/') == std::string::npos) std::replace(text.begin(), text.end(), '\\', '/');
  return text;
}

// A file as the directory describes it.
struct Entry {
  ArchiveMember member;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t unix_type = 0;  // 0 where it was written on another system
  bool is_whole = false;   // its numbers are all there
};

// Takes the entry at the front of the directory's bytes.
StatusOr<Entry> TakeEntry(std::string_view& rest) {
  if (rest.size() < kEntryBytes || !rest.starts_with(kEntryMagic)) {
    return DataLoss("the zip archive's directory is damaged");
  }
  Fields fields(rest.substr(kMagicBytes));
  Entry entry;
  const int system = fields.U16() >> 8;  // in front of it the version
  fields.Skip(2);
  entry.flags = fields.U16();
  entry.method = fields.U16();
  fields.Skip(4);
  entry.member.crc32 = fields.U32();
  entry.member.stored_bytes = fields.U32();
  entry.member.bytes = fields.U32();
  const size_t name_bytes = fields.U16();
  const size_t extra_bytes = fields.U16();
  const size_t comment_bytes = fields.U16();
  fields.Skip(4);
  const uint32_t attributes = fields.U32();
  entry.member.offset = fields.U32();
  entry.member.is_deflated = entry.method == kDeflated;
  entry.unix_type = system == kUnix ? attributes >> 16 & kTypeMask : 0;
  const size_t entry_bytes = kEntryBytes + name_bytes + extra_bytes + comment_bytes;
  if (entry_bytes > rest.size()) return DataLoss("the zip archive's directory is cut off");
  entry.member.name = WithSlashes(rest.substr(kEntryBytes, name_bytes));
  entry.is_whole = TakeZip64(rest.substr(kEntryBytes + name_bytes, extra_bytes), entry.member);
  rest.remove_prefix(entry_bytes);
  return entry;
}

// kDataLoss where two files share bytes.
Status CheckApart(std::span<const ArchiveMember> members) {
  std::vector<const ArchiveMember*> by_offset;
  by_offset.reserve(members.size());
  for (const ArchiveMember& member : members) by_offset.push_back(&member);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const ArchiveMember& before = *by_offset[i - 1];
    if (by_offset[i]->offset - before.offset >= kLocalBytes + before.stored_bytes) continue;
    return DataLoss(fmt::format("the zip archive's files {} and {} share bytes",
                                ShownName(before.name), ShownName(by_offset[i]->name)));
  }
  return OkStatus();
}

// Inflates a member's bytes without the wrapping of zlib's own format; the first `most` of them.
StatusOr<std::string> Inflate(std::string_view packed, uint64_t most) {
  std::string bytes(most, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Internal("zlib cannot begin");
  size_t filled = 0;
  int result = Z_OK;
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  while (result == Z_OK && filled < most) {
    const size_t given = std::min(packed.size(), kMost);
    const size_t wanted = std::min<size_t>(most - filled, kMost);
    // zlib does not write to its input.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + filled);
    stream.avail_out = static_cast<uInt>(wanted);
    result = ::inflate(&stream, Z_NO_FLUSH);
    packed.remove_prefix(given - stream.avail_in);
    filled += wanted - stream.avail_out;
  }
  ::inflateEnd(&stream);
  if (filled < most) return DataLoss("its packed bytes are damaged or end early");
  return bytes;
}

}  // namespace

bool LooksLikeZip(std::string_view start) {
  return start.starts_with(kLocalMagic) || start.starts_with(kEndMagic);
}

StatusOr<std::vector<ArchiveMember>> ListZip(std::string_view bytes, LeftOut& left_out) {
  FACEGATE_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(bytes));
  std::vector<ArchiveMember> members;
  std::string_view rest = bytes.substr(directory.offset, directory.size);
  while (!rest.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(Entry entry, TakeEntry(rest));
    const ArchiveMember& member = entry.member;
    if (!entry.is_whole || member.offset > directory.offset ||
        member.stored_bytes > directory.offset - member.offset) {
      return DataLoss(
          fmt::format("the zip archive's entry of {} is damaged", ShownName(member.name)));
    }
    if (member.name.ends_with('/')) continue;
    if (entry.unix_type != 0 && entry.unix_type != kFileType) {
      left_out.Add("links and other things that are no files", member.name);
    } else if ((entry.flags & kEncrypted) != 0) {
      left_out.Add("encrypted files", member.name);
    } else if (entry.method != kStored && entry.method != kDeflated) {
      left_out.Add("files that are packed in another way than by deflate", member.name);
    } else {
      members.push_back(std::move(entry.member));
    }
  }
  FACEGATE_RETURN_IF_ERROR(CheckApart(members));
  return members;
}

StatusOr<std::string> ReadZipMember(std::string_view bytes, const ArchiveMember& member,
                                    size_t most) {
  const std::string_view local = bytes.substr(std::min<uint64_t>(member.offset, bytes.size()));
  if (local.size() < kLocalBytes || !local.starts_with(kLocalMagic)) {
    return DataLoss("its header is damaged");
  }
  Fields sizes(local.substr(kLocalBytes - 4));
  const size_t name_bytes = sizes.U16();
  const size_t header_bytes = kLocalBytes + name_bytes + sizes.U16();
  if (header_bytes > local.size() || member.stored_bytes > local.size() - header_bytes) {
    return DataLoss("it reaches beyond the end of the archive");
  }
  const std::string_view stored = local.substr(header_bytes, member.stored_bytes);
  const bool fits = member.is_deflated ? member.bytes / kMaxInflation <= member.stored_bytes
                                       : member.bytes == member.stored_bytes;
  if (!fits) return DataLoss("its size is damaged");
  const uint64_t wanted = std::min<uint64_t>(member.bytes, most);
  FACEGATE_ASSIGN_OR_RETURN(std::string unpacked,
                            member.is_deflated ? Inflate(stored, wanted)
                                               : StatusOr<std::string>(stored.substr(0, wanted)));
  if (wanted < member.bytes) return unpacked;
  const uLong sum = ::crc32_z(0, reinterpret_cast<const Bytef*>(unpacked.data()), unpacked.size());
  if (sum != member.crc32) return DataLoss("it is damaged: its sum is wrong");
  return unpacked;
}

}  // namespace facegate
