#include "face/image/jpeg_header.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "face/base/coding.h"
#include "face/image/exif.h"

namespace facegate {
namespace {

constexpr int kMaxScans = 100;
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

Status Undecodable(std::string_view message) { return Refuse(Reason::kImageUndecodable, message); }

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
    if (marker.has_value()) in = before.substr(before.size() - in.size() - 2);
    return;
  }
}

Status ReadFrame(std::string_view body, ImageHeader& header) {
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
  return OkStatus();
}

}  // namespace

StatusOr<ImageHeader> ParseJpegHeader(std::string_view encoded) {
  ImageHeader header{.format = ImageFormat::kJpeg};
  bool exif_seen = false;
  int scans = 0;
  std::string_view in = encoded.substr(2);
  while (true) {
    const auto marker = TakeMarker(in);
    if (!marker.has_value()) {
      return Undecodable(
          fmt::format("JPEG is truncated: no end marker in its {} bytes", encoded.size()));
    }
    if (*marker == kEoi) break;
    if (*marker == kSoi) return Undecodable("JPEG has a second start marker inside the picture");
    if (*marker == kTem || IsRestart(*marker)) continue;
    const auto body = TakeSegment(in);
    if (!body.has_value()) {
      return Undecodable(fmt::format("JPEG is truncated: the segment 0xff{:02x} at byte {} is cut",
                                     *marker, encoded.size() - in.size()));
    }
    if (IsStartOfFrame(*marker)) {
      FACEGATE_RETURN_IF_ERROR(ReadFrame(*body, header));
    } else if (*marker == kApp1 && !exif_seen && body->starts_with(kExifPrefix)) {
      exif_seen = true;
      header.orientation = ExifOrientation(*body);
    } else if (*marker == kSos) {
      if (header.width == 0) return Undecodable("JPEG has a scan before its frame header");
      if (++scans > kMaxScans) {
        return Undecodable(fmt::format("JPEG has more than {} scans", kMaxScans));
      }
      SkipScan(in);
    }
  }
  if (scans == 0) return Undecodable("JPEG holds no picture: its end marker comes before any scan");
  return header;
}

}  // namespace facegate
