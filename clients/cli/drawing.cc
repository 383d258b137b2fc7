#include "clients/cli/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "clients/cli/private_file.h"
#include "clients/cli/report.h"

namespace facegate {
namespace {

int Pixel(double value, int limit) {
  if (!(value > -1e6 && value < 1e6)) return -limit;
  return static_cast<int>(std::lround(value));
}

void DrawFace(const v1::Face& face, cv::Mat& picture) {
  const int limit = std::max(picture.cols, picture.rows);
  const int thickness = std::max(1, limit / 400);
  const cv::Scalar green(60, 220, 60);
  const cv::Rect box = BoxOf(face, 1.0, limit);
  cv::rectangle(picture, box, green, thickness, cv::LINE_AA);
  for (const v1::Point& point : face.landmarks()) {
    cv::circle(picture, {Pixel(point.x(), limit), Pixel(point.y(), limit)}, thickness + 1,
               cv::Scalar(40, 180, 255), cv::FILLED, cv::LINE_AA);
  }
  cv::putText(picture, fmt::format("{:.2f}", face.score()),
              {box.x, std::max(box.y - 4 * thickness, 10 * thickness)}, cv::FONT_HERSHEY_SIMPLEX,
              0.4 * thickness, green, thickness, cv::LINE_AA);
}

}  // namespace

bool CanWritePicture(const std::string& path) {
  try {
    return cv::haveImageWriter(path);
  } catch (const cv::Exception&) {
    return false;
  }
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
    if (picture.empty()) return LocalError("cannot be decoded here to draw on it");
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
