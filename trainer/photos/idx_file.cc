#include "trainer/photos/idx_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "face/base/file.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 1ULL << 30;
constexpr uint64_t kMaxArrayBytes = 4ULL << 30;
constexpr uint8_t kUnsignedBytes = 8;
constexpr size_t kMagicBytes = 4;
constexpr size_t kExtentBytes = 4;
constexpr size_t kMaxExtents = 8;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
// Deflate turns a byte into at most 1032 (RFC 1951: 258 from a quarter of a byte).
constexpr uint64_t kMaxInflation = 1032;
constexpr uint64_t kPieceBytes = 16ULL << 20;  // so much is made room for at a time
constexpr uint8_t kClasses = 10;

// Gives the bytes of a file in order, from memory or out of a gzip stream.
class ByteSource {
 public:
  explicit ByteSource(std::string_view bytes) : size_(bytes.size()), rest_(bytes) {
    if (!bytes.starts_with(kGzipMagic)) return;
    inflating_ = ::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;  // 16: gzip
    failed_ = !inflating_;
  }
  ~ByteSource() {
    if (inflating_) ::inflateEnd(&stream_);
  }
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // More than this cannot come any more.
  uint64_t most() const { return inflating_ ? size_ * kMaxInflation : rest_.size(); }

  // Fills `out`; returns how much there was.
  size_t Read(char* out, size_t count) {
    if (failed_) return 0;
    if (!inflating_) {
      const size_t taken = rest_.copy(out, count);
      rest_.remove_prefix(taken);
      return taken;
    }
    size_t filled = 0;
    while (filled < count && !ended_ && !failed_) filled += Inflate(out + filled, count - filled);
    return filled;
  }

  // True when everything was read, and a gzip stream to its end with the right checksum.
  bool AtEnd() {
    char more = 0;
    return Read(&more, 1) == 0 && !failed_ && rest_.empty();
  }
  // True when the gzip stream is damaged or ends early.
  bool failed() const { return failed_; }

 private:
  size_t Inflate(char* out, size_t count) {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    const size_t given = std::min(rest_.size(), kMost);
    const size_t wanted = std::min(count, kMost);
    // zlib does not write to its input.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(wanted);
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    rest_.remove_prefix(given - stream_.avail_in);
    if (result == Z_STREAM_END) {
      ended_ = !rest_.starts_with(kGzipMagic);  // a file may hold several streams
      if (!ended_) failed_ = ::inflateReset(&stream_) != Z_OK;
    } else if (result != Z_OK) {
      failed_ = true;  // with Z_BUF_ERROR the input ended early
    }
    return wanted - stream_.avail_out;
  }

  const uint64_t size_;
  std::string_view rest_;
  z_stream stream_{};
  bool inflating_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

Status Torn(const ByteSource& source, std::string_view where) {
  return InvalidArgument(source.failed()
                             ? fmt::format("the gzip stream is damaged or ends early, {}", where)
                             : fmt::format("the file ends {}", where));
}

StatusOr<std::vector<uint32_t>> ReadShape(ByteSource& source) {
  uint8_t magic[kMagicBytes];
  if (source.Read(reinterpret_cast<char*>(magic), kMagicBytes) != kMagicBytes) {
    return Torn(source, "before the four bytes that an idx file begins with");
  }
  if (magic[0] != 0 || magic[1] != 0) {
    return InvalidArgument(fmt::format(
        "it begins with {:02x} {:02x}, an idx file with two zero bytes", magic[0], magic[1]));
  }
  if (magic[2] != kUnsignedBytes) {
    return InvalidArgument(fmt::format(
        "its elements have the type 0x{:02x}, only unsigned bytes (0x08) are read", magic[2]));
  }
  if (magic[3] < 1 || magic[3] > kMaxExtents) {
    return InvalidArgument(
        fmt::format("it has {} extents, expected 1 to {}", magic[3], kMaxExtents));
  }
  std::vector<uint32_t> shape(magic[3]);
  for (uint32_t& extent : shape) {
    uint8_t bytes[kExtentBytes];
    if (source.Read(reinterpret_cast<char*>(bytes), kExtentBytes) != kExtentBytes) {
      return Torn(source, "inside its extents");
    }
    for (const uint8_t byte : bytes) extent = extent << 8 | byte;
  }
  return shape;
}

// Nothing where it is above `limit`.
std::optional<uint64_t> ElementsOf(const std::vector<uint32_t>& shape, uint64_t limit) {
  uint64_t count = 1;
  // An extent of 0 does not excuse the others.
  for (const uint32_t extent : shape) {
    if (extent != 0 && count > limit / extent) return std::nullopt;
    count *= std::max<uint64_t>(extent, 1);
  }
  return std::find(shape.begin(), shape.end(), 0U) == shape.end() ? count : 0;
}

std::string BaseName(DigitPart part, std::string_view what, int extents) {
  return fmt::format("{}-{}-idx{}-ubyte", part == DigitPart::kTrain ? "train" : "t10k", what,
                     extents);
}

StatusOr<IdxArray> ReadNamed(const std::string& folder, const std::string& name) {
  const std::filesystem::path plain = std::filesystem::path(folder) / name;
  std::error_code error;
  for (const std::string& path : {plain.string() + ".gz", plain.string()}) {
    if (std::filesystem::exists(path, error)) return ReadIdxFile(path);
  }
  return NotFound(
      fmt::format("{} is not there, nor is it with .gz behind; {}", plain.string(), kMnistSource));
}

}  // namespace

StatusOr<IdxArray> ParseIdx(std::string_view bytes) {
  ByteSource source(bytes);
  IdxArray array;
  FACEGATE_ASSIGN_OR_RETURN(array.shape, ReadShape(source));
  const std::optional<uint64_t> count =
      ElementsOf(array.shape, std::min(source.most(), kMaxArrayBytes));
  if (!count) {
    return InvalidArgument(
        fmt::format("its extents are {}, but its {} bytes cannot hold that many elements",
                    fmt::join(array.shape, " x "), bytes.size()));
  }
  while (array.bytes.size() < *count) {
    const size_t before = array.bytes.size();
    array.bytes.resize(std::min<uint64_t>(*count, before + kPieceBytes));
    const size_t wanted = array.bytes.size() - before;
    const size_t got = source.Read(array.bytes.data() + before, wanted);
    if (got != wanted) {
      return Torn(source, fmt::format("after {} of {} elements", before + got, *count));
    }
  }
  if (!source.AtEnd()) {
    return source.failed() ? Torn(source, "after the last element")
                           : InvalidArgument(fmt::format(
                                 "bytes follow the {} elements that its extents give", *count));
  }
  return array;
}

StatusOr<IdxArray> ReadIdxFile(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  StatusOr<IdxArray> array = ParseIdx(bytes);
  return array.ok() ? std::move(array) : Annotate(array.status(), path);
}

StatusOr<DigitSet> ReadDigits(const std::string& folder, DigitPart part) {
  FACEGATE_ASSIGN_OR_RETURN(IdxArray images, ReadNamed(folder, BaseName(part, "images", 3)));
  FACEGATE_ASSIGN_OR_RETURN(const IdxArray labels, ReadNamed(folder, BaseName(part, "labels", 1)));
  if (images.shape.size() != 3 || labels.shape.size() != 1 || images.shape[0] != labels.shape[0] ||
      images.bytes.empty()) {
    return InvalidArgument(fmt::format(
        "{}: pictures of extents {} and labels of extents {} do not fit together, expected "
        "N x rows x columns and N",
        folder, fmt::join(images.shape, " x "), fmt::join(labels.shape, " x ")));
  }
  DigitSet set{.rows = images.shape[1],
               .columns = images.shape[2],
               .pixels = std::move(images.bytes),
               .labels = {labels.bytes.begin(), labels.bytes.end()}};
  for (size_t i = 0; i < set.size(); ++i) {
    if (set.labels[i] >= kClasses) {
      return InvalidArgument(fmt::format("{}: label {} is {}, expected 0 to {}", folder, i,
                                         set.labels[i], kClasses - 1));
    }
  }
  return set;
}

}  // namespace facegate
