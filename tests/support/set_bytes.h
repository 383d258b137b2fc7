#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Files of photos in the formats of others, written from what those publish and not with the code
// that reads them.
namespace facegate {

// A payload of RecordIO: flag 0 where there is one label.
std::string RecordIoPayload(const std::vector<float>& labels, std::string_view image);
// A record of one part, or of several where the payload holds the magic at a place that 4 divides.
std::string RecordIoRecord(std::string_view payload);

struct RecordIoFiles {
  std::string rec;
  std::string idx;
};
// The payloads under the keys 0, 1, 2 ...
RecordIoFiles RecordIoSet(const std::vector<std::string>& payloads);
// As InsightFace packs a set: a header, the photos, a record for each of `identities`.
RecordIoFiles InsightFaceSet(const std::vector<std::pair<int, std::string>>& photos,
                             int identities);

// A record of a TFRecord file.
std::string TfRecordOf(std::string_view data);
// A tensorflow.Example with this identity, the feature `what` and this file name.
std::string TfExampleOf(int64_t label, std::string_view what, std::string_view value,
                        std::string_view filename);

// Compressed by deflate (RFC 1951), alone or as a gzip file (RFC 1952).
enum class DeflateFrame { kNone, kGzip };
std::string Deflated(const std::string& bytes, DeflateFrame frame);

// An array of unsigned bytes of idx.
std::string IdxBytes(const std::vector<uint32_t>& shape, std::string_view elements);

struct ArchivedFile {
  std::string name;
  std::string bytes;
  bool deflate = false;          // zip alone
  uint32_t unix_mode = 0100644;  // zip alone
  char type = '0';               // tar alone
};
std::string ZipOf(const std::vector<ArchivedFile>& files);
// A header and the bytes of a file, padded.
std::string TarMember(const ArchivedFile& file);
// The files and two blocks of zeros.
std::string TarOf(const std::vector<ArchivedFile>& files);
// The same bytes with sums that fit in all blocks that look like headers.
std::string WithTarSums(std::string tar);

}  // namespace facegate
