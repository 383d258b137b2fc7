#include "clients/cli/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "clients/cli/private_file.h"
#include "clients/cli/report.h"

namespace facegate {
namespace {

int Pixel(double value, int limit) {
  if (!(value > -1e6 && value < 1e6)) return -limit;
  return static_cast<int>(std::lround(value));
}

// Lines and letters have a dark rim, so that they are seen on light hair as well as on dark.
void DrawFace(const v1::Face& face, cv::Mat& picture) {
  const int limit = std::max(picture.cols, picture.rows);
  const int thickness = std::max(1, limit / 400);
  const int rim = thickness + 2 * std::max(1, thickness / 2);
  const double text_scale = 0.4 * thickness;
  const cv::Scalar green(90, 255, 90);
  const cv::Scalar dark(20, 20, 20);
  const cv::Rect box = BoxOf(face, 1.0, limit);
  cv::rectangle(picture, box, dark, rim, cv::LINE_AA);
  cv::rectangle(picture, box, green, thickness, cv::LINE_AA);
  for (const v1::Point& point : face.landmarks()) {
    const cv::Point at(Pixel(point.x(), limit), Pixel(point.y(), limit));
    cv::circle(picture, at, thickness + 2, dark, cv::FILLED, cv::LINE_AA);
    cv::circle(picture, at, thickness + 1, cv::Scalar(40, 180, 255), cv::FILLED, cv::LINE_AA);
  }
  const std::string score = fmt::format("{:.2f}", face.score());
  int base = 0;
  const cv::Size size = cv::getTextSize(score, cv::FONT_HERSHEY_SIMPLEX, text_scale, rim, &base);
  // Above the box, and within the picture.
  const cv::Point left(std::clamp(box.x, 0, std::max(0, picture.cols - size.width)),
                       std::max(box.y - 4 * thickness, size.height + thickness));
  cv::putText(picture, score, left, cv::FONT_HERSHEY_SIMPLEX, text_scale, dark, rim + thickness - 1,
              cv::LINE_AA);
  cv::putText(picture, score, left, cv::FONT_HERSHEY_SIMPLEX, text_scale, green, thickness,
              cv::LINE_AA);
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
  try {
    if (cv::haveImageWriter(path)) return std::nullopt;
  } catch (const cv::Exception&) {  // a name without an end
  }
  return LocalError("does not end in the name of an image format, such as .png");
}

ClientResult<bool> WritePicture(const cv::Mat& picture, const std::string& path) {
  std::vector<uchar> encoded;
  try {
    if (!cv::imencode(std::filesystem::path(path).extension().string(), picture, encoded)) {
      return LocalError(fmt::format("{}: the picture cannot be encoded", path));
    }
  } catch (const cv::Exception& error) {
    return LocalError(fmt::format("{}: the picture cannot be encoded: {}", path, error.err));
  }
  const std::string bytes(encoded.begin(), encoded.end());
  if (const auto failure = WritePrivateFile(path, bytes)) {
    return LocalError(fmt::format("{}: {}", path, *failure));
  }
  return true;
}

cv::Rect BoxOf(const v1::Face& face, double scale, int limit) {
  const auto& box = face.box();
  return {Pixel(scale * box.x(), limit), Pixel(scale * box.y(), limit),
          Pixel(scale * box.width(), limit), Pixel(scale * box.height(), limit)};
}

ClientResult<int> DrawFaces(const std::string& photo_bytes, const v1::DetectResponse& detected,
                            const std::string& output) {
  try {
    const std::vector<char> encoded(photo_bytes.begin(), photo_bytes.end());
    cv::Mat picture = cv::imdecode(encoded, cv::IMREAD_COLOR);
    if (picture.empty()) return LocalError("cannot be decoded on this machine, to draw on it");
    if (static_cast<uint32_t>(picture.cols) != detected.image_width() ||
        static_cast<uint32_t>(picture.rows) != detected.image_height()) {
      return LocalError(fmt::format("decodes to {}x{} here, but the server saw {}x{}", picture.cols,
                                    picture.rows, detected.image_width(), detected.image_height()));
    }
    for (const v1::Face& face : detected.faces()) DrawFace(face, picture);
    if (auto written = WritePicture(picture, output); !written.ok()) return written.error();
    return detected.faces_size();
  } catch (const cv::Exception& error) {
    return LocalError(fmt::format("cannot be drawn to {}: {}", output, error.err));
  }
}

}  // namespace facegate
