#include "trainer/photos/npy_file.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kFloat32 = "<f4";
constexpr std::string_view kTruth = "|b1";
constexpr size_t kMaxDimensions = 32;  // NumPy's own limit
constexpr size_t kMaxHeaderBytes = 1 << 20;

struct Header {
  std::string type;
  bool fortran_order = false;
  std::vector<size_t> shape;
};

// Reads the dictionary as NumPy writes it: of Python's literals only those that it uses.
class DictReader {
 public:
  explicit DictReader(std::string_view text) : text_(text) {}

  std::optional<Header> Read() {
    Header header;
    if (!Take('{')) return std::nullopt;
    while (!Take('}')) {
      const std::optional<std::string> key = String();
      if (!key.has_value() || !Take(':') || !Value(*key, header)) return std::nullopt;
      if (Take(',')) continue;
      if (!Take('}')) return std::nullopt;
      break;
    }
    SkipBlanks();
    const bool whole = has_type_ && has_order_ && has_shape_;
    return text_.empty() && whole ? std::optional(std::move(header)) : std::nullopt;
  }

 private:
  void SkipBlanks() {
    const size_t kept = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(kept == std::string_view::npos ? text_.size() : kept);
  }

  bool Take(char sign) {
    SkipBlanks();
    if (text_.empty() || text_.front() != sign) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool TakeWord(std::string_view word) {
    SkipBlanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::optional<std::string> String() {
    SkipBlanks();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }

  std::optional<size_t> Number() {
    SkipBlanks();
    std::optional<size_t> value;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      const auto digit = static_cast<size_t>(text_.front() - '0');
      const size_t before = value.value_or(0);
      if (before > (std::numeric_limits<size_t>::max() - digit) / 10) return std::nullopt;
      value = before * 10 + digit;
      text_.remove_prefix(1);
    }
    return value;
  }

  std::optional<std::vector<size_t>> Tuple() {
    std::vector<size_t> values;
    if (!Take('(')) return std::nullopt;
    while (!Take(')')) {
      const std::optional<size_t> value = Number();
      if (!value.has_value() || values.size() == kMaxDimensions) return std::nullopt;
      values.push_back(*value);
      if (Take(',')) continue;
      if (!Take(')')) return std::nullopt;
      break;
    }
    return values;
  }

  // False for a key that is unknown or was there before, too.
  bool Value(const std::string& key, Header& header) {
    if (key == "descr" && !std::exchange(has_type_, true)) {
      std::optional<std::string> type = String();
      if (!type.has_value()) return false;
      header.type = *std::move(type);
      return true;
    }
    if (key == "shape" && !std::exchange(has_shape_, true)) {
      std::optional<std::vector<size_t>> shape = Tuple();
      if (!shape.has_value()) return false;
      header.shape = *std::move(shape);
      return true;
    }
    if (key == "fortran_order" && !std::exchange(has_order_, true)) {
      header.fortran_order = TakeWord("True");
      return header.fortran_order || TakeWord("False");
    }
    return false;
  }

  std::string_view text_;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

// The length of the dictionary, dropping it from `bytes`.
std::optional<size_t> TakeHeaderLength(uint8_t version, std::string_view& bytes) {
  if (version == 1) return TakeLittleEndian<uint16_t>(bytes);
  return TakeLittleEndian<uint32_t>(bytes);
}

StatusOr<Header> TakeHeader(std::string_view& bytes) {
  if (!IsNpy(bytes)) return InvalidArgument("is no .npy file: it does not begin with \\x93NUMPY");
  bytes.remove_prefix(kMagic.size());
  const auto major = TakeLittleEndian<uint8_t>(bytes);
  const auto minor = TakeLittleEndian<uint8_t>(bytes);
  if (!major || !minor) return InvalidArgument("ends within its first ten bytes");
  if (*major < 1 || *major > 3 || *minor != 0) {
    return InvalidArgument(
        fmt::format("is of version {}.{} of .npy, expected 1.0, 2.0 or 3.0", *major, *minor));
  }
  const std::optional<size_t> length = TakeHeaderLength(*major, bytes);
  if (!length || *length > bytes.size() || *length > kMaxHeaderBytes) {
    return InvalidArgument("ends within its header");
  }
  std::optional<Header> header = DictReader(bytes.substr(0, *length)).Read();
  bytes.remove_prefix(*length);
  if (!header.has_value()) {
    return InvalidArgument(
        "has a header that is not a dictionary of descr, fortran_order and shape");
  }
  return *std::move(header);
}

// How many values a shape has, which must be as many as there are bytes for.
StatusOr<size_t> CountValues(const std::vector<size_t>& shape, size_t bytes, size_t value_bytes) {
  const size_t held = bytes / value_bytes;
  size_t count = 1;
  for (const size_t length : shape) {
    if (length != 0 && count > held / length) {
      return InvalidArgument(
          fmt::format("has {} bytes of values, fewer than its shape says", bytes));
    }
    count *= length;
  }
  if (bytes == count * value_bytes) return count;
  return InvalidArgument(
      fmt::format("has {} bytes of values, its shape says {}", bytes, count * value_bytes));
}

}  // namespace

bool IsNpy(std::string_view bytes) { return bytes.starts_with(kMagic); }

StatusOr<NpyArray> ParseNpy(std::string_view bytes) {
  FACEGATE_ASSIGN_OR_RETURN(Header header, TakeHeader(bytes));
  if (header.type != kFloat32) {
    return InvalidArgument(
        "does not hold little-endian float32 ('<f4'); NumPy converts by "
        ".astype('<f4')");
  }
  if (header.fortran_order) {
    return InvalidArgument("is in Fortran order; NumPy converts by numpy.ascontiguousarray()");
  }
  FACEGATE_ASSIGN_OR_RETURN(const size_t count,
                            CountValues(header.shape, bytes.size(), sizeof(float)));
  NpyArray array{.shape = std::move(header.shape), .values = {}};
  array.values.resize(count);
  if (count > 0) std::memcpy(array.values.data(), bytes.data(), bytes.size());
  return array;
}

StatusOr<std::vector<bool>> ParseNpyTruths(std::string_view bytes) {
  FACEGATE_ASSIGN_OR_RETURN(const Header header, TakeHeader(bytes));
  if (header.type != kTruth || header.shape.size() != 1) {
    return InvalidArgument(
        "does not hold one row of truth values ('|b1'); NumPy converts by .astype(bool)");
  }
  FACEGATE_ASSIGN_OR_RETURN(const size_t count, CountValues(header.shape, bytes.size(), 1));
  std::vector<bool> truths(count);
  for (size_t i = 0; i < count; ++i) truths[i] = bytes[i] != 0;
  return truths;
}

}  // namespace facegate
