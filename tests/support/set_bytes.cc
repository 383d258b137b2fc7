#include "tests/support/set_bytes.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "face/base/check.h"
#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr std::string_view kMagic = "\x0a\x23\xd7\xce";
constexpr size_t kTarBlock = 512;

void AppendFloat(std::string& bytes, float value) {
  AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
}

std::string RecordIoPart(uint32_t kind, std::string_view part) {
  std::string bytes(kMagic);
  AppendLittleEndian(bytes, kind << 29 | static_cast<uint32_t>(part.size()));
  bytes += part;
  bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
  return bytes;
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

// Field `number` with a length.
std::string Field(int number, std::string_view body) {
  return Varint(static_cast<uint64_t>(number) << 3 | 2) + Varint(body.size()) + std::string(body);
}

std::string Feature(std::string_view name, int list, const std::string& values) {
  return Field(1, Field(1, name) + Field(2, Field(list, values)));
}

uint32_t MaskedSum(std::string_view bytes) {
  const uint32_t sum = Crc32c(bytes);
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

}  // namespace

std::string Deflated(const std::string& bytes, DeflateFrame frame) {
  const int window = frame == DeflateFrame::kGzip ? 16 + MAX_WBITS : -MAX_WBITS;
  z_stream stream{};
  FACEGATE_CHECK(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8,
                                Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(::deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  FACEGATE_CHECK(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

std::string RecordIoPayload(const std::vector<float>& labels, std::string_view image) {
  const bool is_list = labels.size() != 1;
  std::string bytes;
  AppendLittleEndian(bytes, is_list ? static_cast<uint32_t>(labels.size()) : uint32_t{0});
  AppendFloat(bytes, is_list ? 0.0F : labels.front());
  AppendLittleEndian(bytes, uint64_t{0});
  AppendLittleEndian(bytes, uint64_t{0});
  if (is_list) {
    for (const float label : labels) AppendFloat(bytes, label);
  }
  return bytes + std::string(image);
}

std::string RecordIoRecord(std::string_view payload) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t at = 0; at + kMagic.size() <= payload.size(); at += 4) {
    if (at < begin || !payload.substr(at).starts_with(kMagic)) continue;
    parts.push_back(payload.substr(begin, at - begin));
    begin = at + kMagic.size();
  }
  parts.push_back(payload.substr(begin));
  if (parts.size() == 1) return RecordIoPart(0, payload);
  std::string bytes = RecordIoPart(1, parts.front());
  for (size_t i = 1; i + 1 < parts.size(); ++i) bytes += RecordIoPart(2, parts[i]);
  return bytes + RecordIoPart(3, parts.back());
}

RecordIoFiles RecordIoSet(const std::vector<std::string>& payloads) {
  RecordIoFiles files;
  for (size_t key = 0; key < payloads.size(); ++key) {
    files.idx += fmt::format("{}\t{}\n", key, files.rec.size());
    files.rec += RecordIoRecord(payloads[key]);
  }
  return files;
}

RecordIoFiles InsightFaceSet(const std::vector<std::pair<int, std::string>>& photos,
                             int identities) {
  const auto end = static_cast<float>(photos.size() + 1);
  std::vector<std::string> payloads = {
      RecordIoPayload({end, end + static_cast<float>(identities)}, "")};
  for (const auto& [label, image] : photos) {
    payloads.push_back(RecordIoPayload({static_cast<float>(label)}, image));
  }
  for (int i = 0; i < identities; ++i) payloads.push_back(RecordIoPayload({1.0F, 2.0F}, ""));
  return RecordIoSet(payloads);
}

std::string TfRecordOf(std::string_view data) {
  std::string length;
  AppendLittleEndian(length, uint64_t{data.size()});
  std::string record = length;
  AppendLittleEndian(record, MaskedSum(length));
  record += data;
  AppendLittleEndian(record, MaskedSum(data));
  return record;
}

std::string TfExampleOf(int64_t label, std::string_view what, std::string_view value,
                        std::string_view filename) {
  // An int64_list is packed.
  const std::string number = Field(1, Varint(static_cast<uint64_t>(label)));
  return Field(1, Feature(what, 1, Field(1, value)) + Feature("image/source_id", 3, number) +
                      Feature("image/filename", 1, Field(1, filename)));
}

std::string IdxBytes(const std::vector<uint32_t>& shape, std::string_view elements) {
  std::string bytes = {'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const uint32_t extent : shape) AppendBigEndian(bytes, extent);
  return bytes + std::string(elements);
}

std::string ZipOf(const std::vector<ArchivedFile>& files) {
  std::string zip;
  std::string directory;
  for (const ArchivedFile& file : files) {
    const std::string packed =
        file.deflate ? Deflated(file.bytes, DeflateFrame::kNone) : file.bytes;
    std::string common;  // what the local header and the entry have alike
    AppendLittleEndian(common, uint16_t{20});
    AppendLittleEndian(common, uint16_t{0});
    AppendLittleEndian(common, static_cast<uint16_t>(file.deflate ? 8 : 0));
    AppendLittleEndian(common, uint32_t{0});  // time and date
    AppendLittleEndian(
        common, static_cast<uint32_t>(::crc32_z(
                    0, reinterpret_cast<const Bytef*>(file.bytes.data()), file.bytes.size())));
    AppendLittleEndian(common, static_cast<uint32_t>(packed.size()));
    AppendLittleEndian(common, static_cast<uint32_t>(file.bytes.size()));
    AppendLittleEndian(common, static_cast<uint16_t>(file.name.size()));
    AppendLittleEndian(common, uint16_t{0});  // extra
    directory += "PK\x01\x02";
    AppendLittleEndian(directory, uint16_t{3 << 8 | 20});  // of Unix
    directory += common;
    AppendLittleEndian(directory, uint16_t{0});  // comment
    AppendLittleEndian(directory, uint16_t{0});  // disk
    AppendLittleEndian(directory, uint16_t{0});
    AppendLittleEndian(directory, file.unix_mode << 16);
    AppendLittleEndian(directory, static_cast<uint32_t>(zip.size()));
    directory += file.name;
    zip += "PK\x03\x04" + common + file.name + packed;
  }
  std::string end = "PK\x05\x06";
  AppendLittleEndian(end, uint32_t{0});  // disks
  AppendLittleEndian(end, static_cast<uint16_t>(files.size()));
  AppendLittleEndian(end, static_cast<uint16_t>(files.size()));
  AppendLittleEndian(end, static_cast<uint32_t>(directory.size()));
  AppendLittleEndian(end, static_cast<uint32_t>(zip.size()));
  AppendLittleEndian(end, uint16_t{0});
  return zip + directory + end;
}

std::string TarMember(const ArchivedFile& file) {
  std::string header(kTarBlock, '\0');
  header.replace(0, std::min<size_t>(file.name.size(), 100), file.name, 0, 100);
  header.replace(100, 8, "0000644\0", 8);
  header.replace(124, 12, fmt::format("{:011o} ", file.bytes.size()));
  header[156] = file.type;
  header.replace(257, 8, "ustar\00000", 8);
  header = WithTarSums(std::move(header));
  const size_t padded = (file.bytes.size() + kTarBlock - 1) / kTarBlock * kTarBlock;
  return header + file.bytes + std::string(padded - file.bytes.size(), '\0');
}

std::string WithTarSums(std::string tar) {
  for (size_t at = 0; tar.size() - at >= kTarBlock; at += kTarBlock) {
    if (tar.compare(at + 257, 5, "ustar") != 0) continue;
    tar.replace(at + 148, 8, "        ");
    const auto block = tar.begin() + static_cast<ptrdiff_t>(at);
    const int sum = std::accumulate(block, block + kTarBlock, 0, [](int total, char byte) {
      return total + static_cast<unsigned char>(byte);
    });
    tar.replace(at + 148, 7, fmt::format("{:06o}", sum) + '\0');
  }
  return tar;
}

std::string TarOf(const std::vector<ArchivedFile>& files) {
  std::string tar;
  for (const ArchivedFile& file : files) tar += TarMember(file);
  return tar + std::string(2 * kTarBlock, '\0');
}

}  // namespace facegate
