#include "face/detect/cascade_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "face/base/catch.h"

namespace facegate {

Status LoadCascade(const std::string& directory, const char* file, cv::CascadeClassifier& cascade) {
  const std::string path = directory + "/" + file;
  return CatchToStatus("reading " + path, [&]() -> Status {
    if (cascade.load(path)) return OkStatus();
    return NotFound(
        fmt::format("cannot read the cascade {} (Debian's package opencv-data has it)", path));
  });
}

std::vector<CascadeHit> FindHits(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                 const CascadeSearch& search, cv::Size smallest, cv::Size largest) {
  std::vector<cv::Rect> boxes;
  std::vector<int> neighbours;
  cascade.detectMultiScale(grey, boxes, neighbours, search.scale_step, search.min_neighbours, 0,
                           smallest, largest);
  std::vector<CascadeHit> hits;
  hits.reserve(boxes.size());
  for (size_t i = 0; i < boxes.size(); ++i) hits.push_back({boxes[i], neighbours[i]});
  return hits;
}

GreyPicture GreyForSearch(const Image& image, int max_side) {
  GreyPicture grey;
  cv::cvtColor(image.bgr, grey.pixels, cv::COLOR_BGR2GRAY);
  grey.scale =
      std::min(1.0, static_cast<double>(max_side) / std::max(grey.pixels.rows, grey.pixels.cols));
  if (grey.scale < 1) {
    const cv::Size size(std::max(1, static_cast<int>(std::lround(image.width() * grey.scale))),
                        std::max(1, static_cast<int>(std::lround(image.height() * grey.scale))));
    cv::resize(grey.pixels, grey.pixels, size, 0, 0, cv::INTER_AREA);
  }
  return grey;
}

FaceSearchResult SearchFaces(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                             const CascadeSearch& search, double min_face_share) {
  const int shorter = std::min(grey.rows, grey.cols);
  FaceSearchResult result;
  result.border = static_cast<int>(shorter * search.border);
  cv::copyMakeBorder(grey, result.wider, result.border, result.border, result.border, result.border,
                     cv::BORDER_REPLICATE);
  cv::Mat equalised;
  cv::equalizeHist(result.wider, equalised);
  const int smallest = std::max(kSmallestFace, static_cast<int>(shorter * min_face_share));
  result.hits = FindHits(cascade, equalised, search, {smallest, smallest}, {});
  return result;
}

}  // namespace facegate
