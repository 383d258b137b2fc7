#include "face/image/jpeg_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "face/base/coding.h"
#include "face/image/exif.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr int kMaxScans = 100;
constexpr int kMaxSampling = 4;
constexpr uint8_t kKindBits = 3;       // of a frame's marker
constexpr uint8_t kProgressive = 2;    // SOF2, SOF6, SOF10, SOF14
constexpr uint64_t kBlockBytes = 128;  // 64 coefficients
// libjpeg's rows of samples before and after they are enlarged, for each block of a row of units.
constexpr uint64_t kRowBuffers = 1024;
constexpr uint64_t kFixedBytes = 256 << 10;

constexpr std::string_view kExifPrefix{"Exif\0\0", 6};

enum Marker : uint8_t {
  kTem = 0x01,
  kSof0 = 0xc0,
  kDht = 0xc4,
  kJpg = 0xc8,
  kDac = 0xcc,
  kSof15 = 0xcf,
  kRst0 = 0xd0,
  kRst7 = 0xd7,
  kSoi = 0xd8,
  kEoi = 0xd9,
  kSos = 0xda,
  kApp1 = 0xe1,
};

bool IsStartOfFrame(uint8_t marker) {
  return marker >= kSof0 && marker <= kSof15 && marker != kDht && marker != kJpg && marker != kDac;
}
bool IsRestart(uint8_t marker) { return marker >= kRst0 && marker <= kRst7; }

// Skips anything but a marker, fill bytes too, and takes the marker.
std::optional<uint8_t> TakeMarker(std::string_view& in) {
  while (true) {
    const size_t start = in.find('\xff');
    if (start == std::string_view::npos) return std::nullopt;
    in.remove_prefix(start);
    const size_t code = in.find_first_not_of('\xff');
    if (code == std::string_view::npos) return std::nullopt;
    const auto marker = static_cast<uint8_t>(in[code]);
    in.remove_prefix(code + 1);
    if (marker != 0) return marker;
  }
}

// The body of a segment: what its two length bytes, which count themselves, announce.
std::optional<std::string_view> TakeSegment(std::string_view& in) {
  const auto length = TakeBigEndian<uint16_t>(in);
  if (!length.has_value() || *length < 2 || *length - size_t{2} > in.size()) return std::nullopt;
  const std::string_view body = in.substr(0, *length - size_t{2});
  in.remove_prefix(body.size());
  return body;
}

// Drops entropy-coded data: up to the next marker that is neither a stuffed byte nor a restart.
void SkipScan(std::string_view& in) {
  while (true) {
    const std::string_view before = in;
    const auto marker = TakeMarker(in);
    if (marker.has_value() && IsRestart(*marker)) continue;
    in = marker.has_value() ? before.substr(before.size() - in.size() - 2) : std::string_view();
    return;
  }
}

// A colour channel of the frame: its samples are `horizontal` by `vertical` in each unit (MCU).
struct Component {
  uint8_t id = 0;
  int horizontal = 1;
  int vertical = 1;
  bool has_scan = false;
};

// The facts that the segments tell together.
struct Contents {
  ImageHeader header{.format = ImageFormat::kJpeg, .passes = 0};
  std::vector<Component> components;
  bool progressive = false;
  bool exif_seen = false;
  bool several_scans = false;  // the first scan does not hold the whole picture
  size_t end_of_scans = 0;     // where the last one's data end, in bytes
};

Status ReadComponents(std::string_view body, Contents& contents) {
  const auto count = TakeBigEndian<uint8_t>(body).value_or(0);
  for (int i = 0; i < count; ++i) {
    const auto id = TakeBigEndian<uint8_t>(body);
    const auto sampling = TakeBigEndian<uint8_t>(body);
    const auto table = TakeBigEndian<uint8_t>(body);
    if (!table.has_value()) return Undecodable("JPEG frame header is too short");
    const Component component{.id = *id, .horizontal = *sampling >> 4, .vertical = *sampling & 15};
    if (component.horizontal < 1 || component.horizontal > kMaxSampling || component.vertical < 1 ||
        component.vertical > kMaxSampling) {
      return Undecodable(fmt::format("JPEG has a component of {}x{} samples, expected 1 to {} each",
                                     component.horizontal, component.vertical, kMaxSampling));
    }
    contents.components.push_back(component);
  }
  return OkStatus();
}

Status ReadFrame(std::string_view body, Contents& contents) {
  ImageHeader& header = contents.header;
  if (header.width != 0) return Undecodable("JPEG has more than one frame header");
  const auto precision = TakeBigEndian<uint8_t>(body);
  const auto height = TakeBigEndian<uint16_t>(body);
  const auto width = TakeBigEndian<uint16_t>(body);
  if (!width.has_value()) return Undecodable("JPEG frame header is too short");
  if (*precision != 8) {
    return Undecodable(fmt::format("JPEG has {} bits a sample, only 8 are supported", *precision));
  }
  if (*width == 0 || *height == 0) {
    return Undecodable(
        fmt::format("JPEG is {}x{} pixels, both must be at least 1", *width, *height));
  }
  header.width = *width;
  header.height = *height;
  return ReadComponents(body, contents);
}

Status ReadScan(std::string_view body, Contents& contents) {
  if (contents.header.width == 0) return Undecodable("JPEG has a scan before its frame header");
  if (++contents.header.passes > kMaxScans) {
    return Undecodable(fmt::format("JPEG has more than {} scans", kMaxScans));
  }
  const auto count = TakeBigEndian<uint8_t>(body).value_or(0);
  for (int i = 0; i < count; ++i) {
    const auto id = TakeBigEndian<uint8_t>(body);
    const auto tables = TakeBigEndian<uint8_t>(body);
    if (!tables.has_value()) return Undecodable("JPEG scan header is too short");
    for (Component& component : contents.components) {
      if (component.id == *id) component.has_scan = true;
    }
  }
  contents.several_scans |= count < contents.components.size();
  return OkStatus();
}

Status ReadSegment(uint8_t marker, std::string_view body, Contents& contents) {
  if (IsStartOfFrame(marker)) {
    contents.progressive |= (marker & kKindBits) == kProgressive;
    return ReadFrame(body, contents);
  }
  if (marker == kSos) return ReadScan(body, contents);
  if (marker == kApp1 && !contents.exif_seen && body.starts_with(kExifPrefix)) {
    contents.exif_seen = true;
    contents.header.orientation = ExifOrientation(body);
  }
  return OkStatus();
}

// libjpeg keeps all coefficients, of two bytes each, where more than one scan tells about a pixel,
// and else some rows of samples.
uint64_t BytesToDecode(const Contents& contents) {
  int horizontal = 1;
  int vertical = 1;
  uint64_t blocks_of_unit = 0;
  for (const Component& component : contents.components) {
    horizontal = std::max(horizontal, component.horizontal);
    vertical = std::max(vertical, component.vertical);
    blocks_of_unit +=
        static_cast<uint64_t>(component.horizontal) * static_cast<uint64_t>(component.vertical);
  }
  const auto units = [](int pixels, int blocks) {
    return (static_cast<uint64_t>(pixels) + static_cast<uint64_t>(8 * blocks) - 1) /
           static_cast<uint64_t>(8 * blocks);
  };
  const ImageHeader& header = contents.header;
  const uint64_t columns = units(header.width, horizontal);
  const uint64_t rows = units(header.height, vertical);
  const bool keeps_all = contents.progressive || contents.several_scans;
  const uint64_t coefficients = keeps_all ? columns * rows * blocks_of_unit * kBlockBytes : 0;
  return 3 * header.pixels() + coefficients + kRowBuffers * columns * blocks_of_unit + kFixedBytes;
}

// The header of a picture that ends at the byte `end`.
StatusOr<ImageHeader> Finish(Contents& contents, size_t end, bool has_end_marker) {
  ImageHeader& header = contents.header;
  if (header.passes == 0) {
    return Undecodable("JPEG holds no picture: its end marker comes before any scan");
  }
  const auto missing = std::count_if(contents.components.begin(), contents.components.end(),
                                     [](const Component& c) { return !c.has_scan; });
  if (missing > 0) {
    return Undecodable(fmt::format("JPEG is truncated: {} of its {} components have no data",
                                   missing, contents.components.size()));
  }
  header.has_end_marker = has_end_marker;
  header.picture_bytes = end;
  header.decode_bytes = BytesToDecode(contents);
  return header;
}

}  // namespace

StatusOr<ImageHeader> ParseJpegHeader(std::string_view encoded) {
  Contents contents;
  std::string_view in = encoded.substr(2);
  while (true) {
    const bool scanned = contents.header.passes > 0;
    const auto marker = TakeMarker(in);
    if (marker == kEoi) return Finish(contents, encoded.size() - in.size(), true);
    if (marker == kTem || (marker.has_value() && IsRestart(*marker))) continue;
    const auto body = marker.has_value() && marker != kSoi ? TakeSegment(in) : std::nullopt;
    if (!body.has_value()) {
      if (scanned) return Finish(contents, contents.end_of_scans, false);
      if (!marker.has_value()) {
        return Undecodable(
            fmt::format("JPEG is truncated: no picture in its {} bytes", encoded.size()));
      }
      if (marker == kSoi) return Undecodable("JPEG has a second start marker inside the picture");
      return Undecodable(fmt::format("JPEG is truncated: the segment 0xff{:02x} at byte {} is cut",
                                     *marker, encoded.size() - in.size()));
    }
    FACEGATE_RETURN_IF_ERROR(ReadSegment(*marker, *body, contents));
    if (*marker != kSos) continue;
    SkipScan(in);
    contents.end_of_scans = encoded.size() - in.size();
  }
}

}  // namespace facegate
