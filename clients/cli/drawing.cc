#include "clients/cli/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "clients/cli/lettering.h"
#include "clients/cli/photo.h"
#include "clients/cli/private_file.h"
#include "clients/cli/report.h"
#include "face/image/decode_pixels.h"
#include "face/image/encode.h"

namespace facegate::cli {
namespace {

// The server has taken the photo already: these only bound what this machine spends on it.
constexpr DecodeLimits kPhotoLimits{
    .max_bytes = kMaxPhotoBytes, .max_pixels = 200'000'000, .heif = true};

int Pixel(double value, int limit) {
  if (!(value > -1e6 && value < 1e6)) return -limit;
  return static_cast<int>(std::lround(value));
}

// Lines and letters have a dark rim, so that they are seen on light hair as well as on dark.
void DrawFace(const v1::Face& face, Canvas& canvas) {
  const int limit = std::max(canvas.width(), canvas.height());
  const int thickness = std::max(1, limit / 400);
  const int rim = thickness + 2 * std::max(1, thickness / 2);
  constexpr Colour kGreen{90, 255, 90};
  constexpr Colour kOrange{40, 180, 255};
  constexpr Colour kDark = Grey(20);
  const Box box = BoxOf(face, 1.0, limit);
  canvas.DrawFrame(box, rim, kDark);
  canvas.DrawFrame(box, thickness, kGreen);
  for (const v1::Point& point : face.landmarks()) {
    const Point at{static_cast<double>(Pixel(point.x(), limit)),
                   static_cast<double>(Pixel(point.y(), limit))};
    canvas.DrawDot(at, 2 * thickness + 5, kDark);
    canvas.DrawDot(at, 2 * thickness + 3, kOrange);
  }
  const std::string score = fmt::format("{:.2f}", face.score());
  Pen pen{.letter_height = 8.5 * thickness, .thickness = rim + thickness - 1., .colour = kDark};
  // Above the box, and within the picture.
  const Point left{std::clamp<double>(box.x, 0, std::max(0., canvas.width() - WidthOf(score, pen))),
                   std::max(box.y - 4. * thickness, pen.letter_height + 2 * thickness)};
  WriteText(score, left, pen, canvas);
  pen.thickness = thickness;
  pen.colour = kGreen;
  WriteText(score, left, pen, canvas);
}

}  // namespace

std::optional<ClientError> WrongWithPicture(const std::string& path,
                                            std::span<const std::string> photos) {
  for (const std::string& photo : photos) {
    std::error_code failure;
    if (photo == path || std::filesystem::equivalent(photo, path, failure)) {
      return LocalError("is one of the photos, which would be overwritten");
    }
  }
  if (FormatOfFileName(path).has_value()) return std::nullopt;
  return LocalError("does not end in the name of an image format, such as .png");
}

ClientResult<bool> WritePicture(const PixelView& picture, const std::string& path) {
  const std::optional<ImageFormat> format = FormatOfFileName(path);
  if (!format.has_value()) return LocalError(fmt::format("{}: not the name of a picture", path));
  const auto bytes = EncodePixels(picture, *format);
  if (!bytes.ok()) {
    return LocalError(
        fmt::format("{}: the picture cannot be encoded: {}", path, MessageOf(bytes.status())));
  }
  if (const auto failure = WritePrivateFile(path, *bytes)) {
    return LocalError(fmt::format("{}: {}", path, *failure));
  }
  return true;
}

Box BoxOf(const v1::Face& face, double scale, int limit) {
  const auto& box = face.box();
  return {Pixel(scale * box.x(), limit), Pixel(scale * box.y(), limit),
          Pixel(scale * box.width(), limit), Pixel(scale * box.height(), limit)};
}

ClientResult<Pixels> DecodePhoto(const std::string& photo_bytes) {
  auto picture = DecodePixels(photo_bytes, kPhotoLimits);
  if (!picture.ok()) return LocalError(std::string(MessageOf(picture.status())));
  return std::move(picture).value();
}

ClientResult<int> DrawFaces(const std::string& photo_bytes, const v1::DetectResponse& detected,
                            const std::string& output) {
  auto picture = DecodePhoto(photo_bytes);
  if (!picture.ok()) {
    return LocalError(fmt::format("cannot be decoded on this machine, to draw on it: {}",
                                  picture.error().message));
  }
  Canvas canvas(std::move(picture).value());
  if (static_cast<uint32_t>(canvas.width()) != detected.image_width() ||
      static_cast<uint32_t>(canvas.height()) != detected.image_height()) {
    return LocalError(fmt::format("decodes to {}x{} here, but the server saw {}x{}", canvas.width(),
                                  canvas.height(), detected.image_width(),
                                  detected.image_height()));
  }
  for (const v1::Face& face : detected.faces()) DrawFace(face, canvas);
  if (auto written = WritePicture(canvas.view(), output); !written.ok()) return written.error();
  return detected.faces_size();
}

}  // namespace facegate::cli
