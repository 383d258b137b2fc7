#include "face/image/pnm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "face/image/row_steps.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr uint32_t kLargestNumber = 0x7fffffff;
constexpr uint32_t kLargestMaxval = 65535;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A decimal number after any white space and comments ('#' to the end of the line); nullopt when
// there is none or it is above 2^31 - 1.
std::optional<uint32_t> TakeNumber(std::string_view& in) {
  while (!in.empty() && (IsSpace(in.front()) || in.front() == '#')) {
    const size_t skipped = in.front() == '#' ? in.find_first_of("\r\n") : 1;
    in.remove_prefix(std::min(skipped, in.size()));
  }
  if (in.empty() || !IsDigit(in.front())) return std::nullopt;
  uint64_t number = 0;
  while (!in.empty() && IsDigit(in.front())) {
    number = number * 10 + static_cast<uint64_t>(in.front() - '0');
    if (number > kLargestNumber) return std::nullopt;
    in.remove_prefix(1);
  }
  return static_cast<uint32_t>(number);
}

struct Map {
  bool text = false;
  int channels = 1;
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t maxval = 0;
  std::string_view samples;

  uint64_t sample_count() const {
    return uint64_t{width} * height * static_cast<uint64_t>(channels);
  }
};

StatusOr<Map> ParseMap(std::string_view encoded) {
  Map map;
  map.text = encoded[1] == '2' || encoded[1] == '3';
  map.channels = encoded[1] == '3' || encoded[1] == '6' ? 3 : 1;
  std::string_view in = encoded.substr(2);
  map.width = TakeNumber(in).value_or(0);
  map.height = TakeNumber(in).value_or(0);
  map.maxval = TakeNumber(in).value_or(0);
  if (map.width == 0 || map.height == 0) {
    return Undecodable(fmt::format("PGM is {}x{} pixels, both must be 1 to {}", map.width,
                                   map.height, kLargestNumber));
  }
  if (map.maxval == 0 || map.maxval > kLargestMaxval) {
    return Undecodable(
        fmt::format("PGM has maxval {}, expected 1 to {}", map.maxval, kLargestMaxval));
  }
  if (in.empty() || !IsSpace(in.front())) return Undecodable("PGM is truncated in its header");
  map.samples = in.substr(1);
  // A sample of the text form is a digit and the space after it, which the last one may lack.
  const uint64_t sample_bytes = map.text || map.maxval > 255 ? 2 : 1;
  const uint64_t spared = map.text ? 1 : 0;
  if (map.sample_count() > (map.samples.size() + spared) / sample_bytes) {
    return Undecodable(
        fmt::format("PGM is truncated: {} samples of at least {} bytes are due, {} bytes are left",
                    map.sample_count(), sample_bytes, map.samples.size()));
  }
  return map;
}

// The next sample; nullopt when the text form has no number where one is due.
std::optional<uint32_t> TakeSample(const Map& map, std::string_view& in) {
  if (map.text) return TakeNumber(in);
  uint32_t sample = static_cast<uint8_t>(in[0]);
  in.remove_prefix(1);
  if (map.maxval > 255) {
    sample = sample << 8 | static_cast<uint8_t>(in[0]);
    in.remove_prefix(1);
  }
  return sample;
}

}  // namespace

StatusOr<ImageHeader> ParsePnmHeader(std::string_view encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const Map map, ParseMap(encoded));
  ImageHeader header{.format = ImageFormat::kPgm,
                     .width = static_cast<int>(map.width),
                     .height = static_cast<int>(map.height)};
  header.decode_bytes = 3 * header.pixels();
  return header;
}

Status DecodePnm(std::string_view encoded, const StopCheck& stop, const PixelRows& bgr) {
  FACEGATE_ASSIGN_OR_RETURN(const Map map, ParseMap(encoded));
  std::string_view in = map.samples;
  for (int row = 0; row < bgr.height; ++row) {
    FACEGATE_RETURN_IF_ERROR(AskInRow(stop, row, bgr.width));
    uint8_t* pixel = bgr.row(row);
    for (int column = 0; column < bgr.width; ++column, pixel += 3) {
      for (int channel = 2; channel >= 0; --channel) {
        if (map.channels == 1 && channel < 2) {
          pixel[channel] = pixel[2];
          continue;
        }
        const auto sample = TakeSample(map, in);
        if (!sample.has_value()) {
          return Undecodable(
              fmt::format("PGM is truncated or broken in row {} of {}", row, bgr.height));
        }
        const uint32_t value = std::min(*sample, map.maxval);
        pixel[channel] = static_cast<uint8_t>((value * 255 + map.maxval / 2) / map.maxval);
      }
    }
  }
  return OkStatus();
}

}  // namespace facegate
