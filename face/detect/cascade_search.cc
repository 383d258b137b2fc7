#include "face/detect/cascade_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "face/base/catch.h"

namespace facegate {
namespace {

// The smallest face is this wide in a fine search: the cascade is unsure of smaller ones.
constexpr int kFineFace = 24;  // pixels
// A whole search whose smallest face is larger by no more than this needs no fine one: so pictures
// of up to two megapixels and usual shape are searched once.
constexpr double kSpared = 1.25;
// Both searches look for faces of the sizes between.
constexpr double kSizeOverlap = 1.3;
// OpenCV's detectMultiScale() groups hits by this.
constexpr double kGroupingShare = 0.2;
// The pixels that the cascade scans, or that are turned grey, without a question.
constexpr double kScannedAtATime = 200'000;
constexpr int kPixelsAtATime = 2'000'000;

cv::Size ScaledSize(cv::Size picture, double scale) {
  if (scale >= 1) return picture;
  return {std::max(1, static_cast<int>(std::lround(picture.width * scale))),
          std::max(1, static_cast<int>(std::lround(picture.height * scale)))};
}

// The widths at which detectMultiScale() would look, each once; `own` is the cascade's.
std::vector<int> Windows(int own, cv::Size picture, double scale_step, FaceSizes sizes) {
  const int room = std::min(picture.width, picture.height);
  const int largest = sizes.largest == 0 ? room : std::min(room, sizes.largest);
  std::vector<int> windows;
  for (double factor = 1;; factor *= scale_step) {
    const int window = cvRound(static_cast<float>(own) * static_cast<float>(factor));
    if (window > largest) return windows;
    if (window >= sizes.smallest && (windows.empty() || windows.back() != window)) {
      windows.push_back(window);
    }
  }
}

// Boxes of one width, not yet grouped. A large picture is scanned in bands that overlap by a face.
Status AppendBoxes(cv::CascadeClassifier& cascade, const cv::Mat& grey, double scale_step,
                   int window, const StopCheck& stop, std::vector<cv::Rect>& boxes) {
  const double shrink = static_cast<double>(window) / cascade.getOriginalWindowSize().width;
  const double rows_at_a_time = kScannedAtATime * shrink * shrink / grey.cols;
  const int step =
      rows_at_a_time >= grey.rows ? grey.rows : std::max(window, static_cast<int>(rows_at_a_time));
  for (int first = 0; first < grey.rows; first += step) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const cv::Range rows(first, std::min(first + step + window, grey.rows));
    if (rows.size() < window) break;
    std::vector<cv::Rect> found;
    std::vector<int> counts;
    cascade.detectMultiScale(grey.rowRange(rows), found, counts, scale_step, 0, 0, {window, window},
                             {window, window});
    for (const cv::Rect& box : found) boxes.push_back(box + cv::Point(0, first));
  }
  return OkStatus();
}

}  // namespace

Status LoadCascade(const std::string& directory, const char* file, cv::CascadeClassifier& cascade) {
  const std::string path = directory + "/" + file;
  return CatchToStatus("reading " + path, [&]() -> Status {
    if (cascade.load(path)) return OkStatus();
    return NotFound(
        fmt::format("cannot read the cascade {} (Debian's package opencv-data has it)", path));
  });
}

StatusOr<std::vector<CascadeHit>> FindHits(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                           const CascadeSearch& search, FaceSizes sizes,
                                           const StopCheck& stop) {
  std::vector<cv::Rect> boxes;
  const int own = cascade.getOriginalWindowSize().width;
  for (const int window : Windows(own, grey.size(), search.scale_step, sizes)) {
    FACEGATE_RETURN_IF_ERROR(AppendBoxes(cascade, grey, search.scale_step, window, stop, boxes));
  }
  std::vector<int> neighbours;
  cv::groupRectangles(boxes, neighbours, search.min_neighbours, kGroupingShare);
  std::vector<CascadeHit> hits;
  hits.reserve(boxes.size());
  for (size_t i = 0; i < boxes.size(); ++i) hits.push_back({boxes[i], neighbours[i]});
  return hits;
}

ScaledSearch WholeSearch(cv::Size picture, int max_side, double min_face_share) {
  ScaledSearch search;
  search.scale =
      std::min(1.0, static_cast<double>(max_side) / std::max(picture.width, picture.height));
  const cv::Size scaled = ScaledSize(picture, search.scale);
  const int shorter = std::min(scaled.width, scaled.height);
  search.sizes.smallest = std::max(kSmallestFace, static_cast<int>(shorter * min_face_share));
  return search;
}

std::optional<ScaledSearch> FineSearch(const ScaledSearch& whole, int min_face_pixels) {
  const double smallest = whole.sizes.smallest / whole.scale;
  if (smallest <= kSpared * min_face_pixels) return std::nullopt;
  ScaledSearch fine;
  fine.scale = std::min(1.0, static_cast<double>(kFineFace) / min_face_pixels);
  fine.sizes.smallest =
      std::max(kSmallestFace, static_cast<int>(std::lround(min_face_pixels * fine.scale)));
  fine.sizes.largest = static_cast<int>(std::lround(smallest * kSizeOverlap * fine.scale));
  return fine;
}

StatusOr<cv::Mat> GreyOf(const Image& image, const StopCheck& stop) {
  cv::Mat grey(image.bgr.size(), CV_8UC1);
  const int rows_at_a_time = std::max(1, kPixelsAtATime / image.width());
  for (int first = 0; first < grey.rows; first += rows_at_a_time) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const cv::Range rows(first, std::min(first + rows_at_a_time, grey.rows));
    cv::Mat part = grey.rowRange(rows);
    cv::cvtColor(image.bgr.rowRange(rows), part, cv::COLOR_BGR2GRAY);
  }
  return grey;
}

cv::Mat ScaledDown(const cv::Mat& grey, double scale) {
  if (scale >= 1) return grey;
  cv::Mat small;
  cv::resize(grey, small, ScaledSize(grey.size(), scale), 0, 0, cv::INTER_AREA);
  return small;
}

StatusOr<FaceSearchResult> SearchFaces(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                       const CascadeSearch& search, FaceSizes sizes,
                                       const StopCheck& stop) {
  const int shorter = std::min(grey.rows, grey.cols);
  FaceSearchResult result;
  result.border = static_cast<int>(shorter * search.border);
  cv::copyMakeBorder(grey, result.wider, result.border, result.border, result.border, result.border,
                     cv::BORDER_REPLICATE);
  cv::Mat equalised;
  cv::equalizeHist(result.wider, equalised);
  FACEGATE_ASSIGN_OR_RETURN(result.hits, FindHits(cascade, equalised, search, sizes, stop));
  return result;
}

}  // namespace facegate
