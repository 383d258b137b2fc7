#include "trainer/photos/bcolz_pairs.h"

#include <blosc.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "face/base/coding.h"
#include "face/base/file.h"
#include "face/base/mutex.h"
#include "trainer/photos/array_facts.h"
#include "trainer/photos/float_pairs.h"
#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "blpk";
constexpr uint8_t kVersion = 1;
constexpr size_t kReservedBytes = 3;
constexpr size_t kHeaderBytes = 16;

Status CheckHeader(std::string_view& file) {
  if (!file.starts_with(kMagic)) return InvalidArgument("does not begin with \"blpk\"");
  file.remove_prefix(kMagic.size());
  const auto version = TakeLittleEndian<uint8_t>(file);
  if (!version || file.size() < kHeaderBytes - kMagic.size() - 1) {
    return InvalidArgument("ends within its header");
  }
  file.remove_prefix(kReservedBytes);
  const auto chunks = TakeLittleEndian<uint64_t>(file);
  if (*version == kVersion && *chunks == 1) return OkStatus();
  return InvalidArgument(
      fmt::format("is of version {} with {} chunks, expected version 1 with 1", *version, *chunks));
}

// The chunks of an array, by number. Thread-safe.
class Chunks {
 public:
  Chunks(fs::path folder, const BcolzLayout& layout)
      : folder_(std::move(folder)), layout_(layout) {}

  size_t count() const {
    return (layout_.pictures + layout_.chunk_pictures - 1) / layout_.chunk_pictures;
  }
  std::string PathOf(size_t chunk) const {
    return (folder_ / fmt::format("__{}.blp", chunk)).string();
  }

  StatusOr<std::string> Row(size_t picture) {
    const size_t chunk = picture / layout_.chunk_pictures;
    const MutexLock lock(mutex_);
    if (chunk_ != chunk) {
      FACEGATE_ASSIGN_OR_RETURN(values_, Read(chunk));
      chunk_ = chunk;
    }
    return values_.substr(picture % layout_.chunk_pictures * kBytesOfPicture, kBytesOfPicture);
  }

 private:
  StatusOr<std::string> Read(size_t chunk) const {
    const std::string path = PathOf(chunk);
    const size_t most = std::min(layout_.chunk_pictures, layout_.pictures) * kBytesOfPicture;
    const size_t left = layout_.pictures - chunk * layout_.chunk_pictures;
    const size_t least = std::min(layout_.chunk_pictures, left) * kBytesOfPicture;
    FACEGATE_ASSIGN_OR_RETURN(const std::string file,
                              ReadFile(path, most + kHeaderBytes + BLOSC_MAX_OVERHEAD));
    StatusOr<std::string> values = DecodeBcolzChunk(file, least, most);
    if (values.ok()) return values;
    return InvalidArgument(fmt::format("{} {}", path, MessageOf(values.status())));
  }

  const fs::path folder_;
  const BcolzLayout layout_;

  Mutex mutex_;
  std::optional<size_t> chunk_ FACEGATE_GUARDED_BY(mutex_);  // whose values these are
  std::string values_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace

StatusOr<BcolzLayout> ParseBcolzLayout(std::string_view sizes_json, std::string_view storage_json) {
  const auto parse = [](std::string_view json, const char* name) -> StatusOr<ArrayFacts> {
    StatusOr<ArrayFacts> facts = ArrayFacts::Parse(json);
    if (facts.ok()) return facts;
    return InvalidArgument(fmt::format("has a {} that {}", name, MessageOf(facts.status())));
  };
  FACEGATE_ASSIGN_OR_RETURN(const ArrayFacts sizes, parse(sizes_json, "meta/sizes"));
  FACEGATE_ASSIGN_OR_RETURN(const ArrayFacts storage, parse(storage_json, "meta/storage"));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<size_t> shape, sizes.Sizes("shape"));
  FACEGATE_ASSIGN_OR_RETURN(const std::string type, storage.Text("dtype"));
  BcolzLayout layout;
  FACEGATE_ASSIGN_OR_RETURN(layout.pictures, CountFloatPictures(type, shape));
  FACEGATE_ASSIGN_OR_RETURN(layout.chunk_pictures, storage.Size("chunklen"));
  const size_t most = std::min(layout.chunk_pictures, layout.pictures);
  if (layout.chunk_pictures == 0 || most > kMostChunkPictures) {
    return InvalidArgument(fmt::format("has {} pictures in a chunk, expected 1 to {}",
                                       layout.chunk_pictures, kMostChunkPictures));
  }
  // Any number may stand there, also one that overflows in sums.
  layout.chunk_pictures = std::max<size_t>(most, 1);
  return layout;
}

StatusOr<std::string> DecodeBcolzChunk(std::string_view file, size_t least, size_t most) {
  FACEGATE_RETURN_IF_ERROR(CheckHeader(file));
  size_t bytes = 0;
  if (blosc_cbuffer_validate(file.data(), file.size(), &bytes) != 0) {
    return InvalidArgument("holds no whole Blosc buffer");
  }
  if (bytes < least || bytes > most) {
    return InvalidArgument(fmt::format("holds {} bytes, expected {}", bytes, least));
  }
  std::string values(bytes, '\0');
  if (bytes == 0) return values;
  const int decoded = blosc_decompress_ctx(file.data(), values.data(), bytes, 1);
  if (decoded >= 0 && static_cast<size_t>(decoded) == bytes) return values;
  return InvalidArgument("cannot be decompressed: its bytes are damaged");
}

bool SniffBcolzPairs(const DatasetCandidate& candidate) {
  std::error_code error;
  return candidate.is_folder &&
         fs::is_regular_file(fs::path(candidate.path) / "meta" / "storage", error);
}

StatusOr<PairSet> OpenBcolzPairs(const std::string& path) {
  const fs::path root = WholePath(path);
  FACEGATE_ASSIGN_OR_RETURN(const std::string sizes,
                            ReadFile((root / "meta" / "sizes").string(), kMaxArrayFactsBytes));
  FACEGATE_ASSIGN_OR_RETURN(const std::string storage,
                            ReadFile((root / "meta" / "storage").string(), kMaxArrayFactsBytes));
  const StatusOr<BcolzLayout> layout = ParseBcolzLayout(sizes, storage);
  if (!layout.ok()) return InvalidArgument(fmt::format("{} {}", path, MessageOf(layout.status())));
  const auto chunks = std::make_shared<Chunks>(root / "data", *layout);
  for (size_t i = 0; i < chunks->count(); ++i) {
    std::error_code error;
    if (fs::is_regular_file(chunks->PathOf(i), error)) continue;
    return InvalidArgument(fmt::format("{}: {} of {} chunks are there, {} is missing", path, i,
                                       chunks->count(), chunks->PathOf(i)));
  }
  return MakeFloatPairs(root.string(), layout->pictures,
                        [chunks](size_t i) { return chunks->Row(i); });
}

}  // namespace facegate
