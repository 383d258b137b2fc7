#include "face/image/encode.h"

#include <fmt/format.h>
#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "face/base/catch.h"
#include "face/base/coding.h"
#include "face/image/encode_check.h"

namespace facegate {
namespace {

constexpr int kJpegQuality = 95;
constexpr int kMostBmpSide = 1'000'000;

constexpr std::pair<std::string_view, ImageFormat> kNames[] = {
    {".png", ImageFormat::kPng},  {".jpg", ImageFormat::kJpeg},  {".jpeg", ImageFormat::kJpeg},
    {".jpe", ImageFormat::kJpeg}, {".webp", ImageFormat::kWebp}, {".bmp", ImageFormat::kBmp},
    {".dib", ImageFormat::kBmp}};

char ToSmall(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

struct FreeWebp {
  void operator()(uint8_t* bytes) const { WebPFree(bytes); }
};

StatusOr<std::string> EncodeWebp(const PixelView& picture) {
  FACEGATE_RETURN_IF_ERROR(CheckEncodable(picture, "WebP", WEBP_MAX_DIMENSION, false));
  uint8_t* bytes = nullptr;
  const size_t size = WebPEncodeLosslessBGR(picture.first, picture.width, picture.height,
                                            static_cast<int>(picture.stride), &bytes);
  const std::unique_ptr<uint8_t, FreeWebp> owner(bytes);
  // Sizes and strides are right, so that nothing else is left.
  if (size == 0) return Status(StatusCode::kResourceExhausted, "writing a WebP: out of memory");
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

// A file header and the first form of the picture's own (BITMAPINFOHEADER), then the rows from the
// bottom up, each filled up to a multiple of four bytes.
StatusOr<std::string> EncodeBmp(const PixelView& picture) {
  FACEGATE_RETURN_IF_ERROR(CheckEncodable(picture, "BMP", kMostBmpSide, false));
  constexpr uint32_t kInfoBytes = 40;
  constexpr uint32_t kHeaderBytes = 14 + kInfoBytes;
  constexpr uint16_t kPlanes = 1;
  constexpr uint16_t kBits = 24;
  const size_t row_bytes = static_cast<size_t>(picture.width) * 3;
  const size_t filled_bytes = (row_bytes + 3) / 4 * 4;
  const size_t file_bytes = kHeaderBytes + filled_bytes * static_cast<size_t>(picture.height);
  std::string file;
  file.reserve(file_bytes);
  file.append("BM");
  for (const uint32_t number :
       {static_cast<uint32_t>(file_bytes), 0U, kHeaderBytes, kInfoBytes,
        static_cast<uint32_t>(picture.width), static_cast<uint32_t>(picture.height)}) {
    AppendLittleEndian(file, number);
  }
  AppendLittleEndian(file, kPlanes);
  AppendLittleEndian(file, kBits);
  // Not compressed, and nothing is said of sizes in bytes and metres or of palettes.
  file.resize(kHeaderBytes, '\0');
  for (int y = picture.height - 1; y >= 0; --y) {
    file.append(reinterpret_cast<const char*>(picture.row(y)), row_bytes);
    file.append(filled_bytes - row_bytes, '\0');
  }
  return file;
}

}  // namespace

Status CheckEncodable(const PixelView& picture, std::string_view format, int most_side, bool grey) {
  if (picture.width < 1 || picture.height < 1) return InvalidArgument("the picture is empty");
  if (picture.channels != 3 && !(grey && picture.channels == 1)) {
    return InvalidArgument(
        fmt::format("a {} is not written of {} channels", format, picture.channels));
  }
  if (picture.width > most_side || picture.height > most_side) {
    return InvalidArgument(fmt::format("a {} has at most {} pixels each way, the picture is {}x{}",
                                       format, most_side, picture.width, picture.height));
  }
  // A row more than there is, for what formats put before and between the rows.
  const uint64_t bytes = picture.stride * (static_cast<uint64_t>(picture.height) + 1);
  if (bytes > INT32_MAX) {
    return InvalidArgument(
        fmt::format("a picture of {} bytes is not written, the limit is {}", bytes, INT32_MAX));
  }
  return OkStatus();
}

std::optional<ImageFormat> FormatOfFileName(std::string_view path) {
  const size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos) return std::nullopt;
  std::string end(path.substr(dot));
  std::transform(end.begin(), end.end(), end.begin(), ToSmall);
  for (const auto& [name, format] : kNames) {
    if (end == name) return format;
  }
  return std::nullopt;
}

StatusOr<std::string> EncodePixels(const PixelView& picture, ImageFormat format) {
  return CatchToStatus("writing a picture", [&]() -> StatusOr<std::string> {
    switch (format) {
      case ImageFormat::kJpeg:
        return EncodeJpeg(picture, kJpegQuality);
      case ImageFormat::kPng:
        return EncodePng(picture);
      case ImageFormat::kWebp:
        return EncodeWebp(picture);
      case ImageFormat::kBmp:
        return EncodeBmp(picture);
      default:
        return InvalidArgument(fmt::format("{} is not written", NameWithArticle(format)));
    }
  });
}

}  // namespace facegate
