#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <opencv2/objdetect.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image.h"

namespace facegate {

inline constexpr char kFaceCascadeFile[] = "haarcascade_frontalface_alt2.xml";
// The smallest face that this cascade knows, pixels.
inline constexpr int kSmallestFace = 20;

// A hit of a cascade, in pixels of the searched picture.
struct CascadeHit {
  cv::Rect box;
  int neighbours = 0;  // overlapping hits that made this one
};

// One way to look for faces.
struct CascadeSearch {
  double scale_step = 1.1;
  int min_neighbours = 4;
  double border =
      0.0;  // by which the picture is extended at each side, as a share of its shorter side
};

// kNotFound or kInternal when the file of the folder is not a cascade.
Status LoadCascade(const std::string& directory, const char* file, cv::CascadeClassifier& cascade);

// The widths of the faces that are looked for, pixels of the searched picture.
struct FaceSizes {
  int smallest = kSmallestFace;
  int largest = 0;  // 0: as large as the picture
};

// `stop` is asked for each size of face, and for each part of a large picture.
StatusOr<std::vector<CascadeHit>> FindHits(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                           const CascadeSearch& search, FaceSizes sizes,
                                           const StopCheck& stop);

// Says how a picture is searched: as a whole, scaled down, and once more for the faces that are too
// small for that, where it is large or has an extreme shape.
struct ScaledSearch {
  double scale = 1.0;  // of the searched picture, at most 1
  FaceSizes sizes;
};
// `max_side` bounds the scaled picture; the smallest face is `min_face_share` of its shorter side.
ScaledSearch WholeSearch(cv::Size picture, int max_side, double min_face_share);
// Nothing where `whole` finds faces of `min_face_pixels`, pixels of the picture, or hardly larger.
std::optional<ScaledSearch> FineSearch(const ScaledSearch& whole, int min_face_pixels);

// The picture without colours, and a grey one scaled down.
StatusOr<cv::Mat> GreyOf(const Image& image, const StopCheck& stop);
cv::Mat ScaledDown(const cv::Mat& grey, double scale);

// The faces of a grey picture.
struct FaceSearchResult {
  cv::Mat wider;                 // the picture with the search's border around it
  int border = 0;                // pixels
  std::vector<CascadeHit> hits;  // in pixels of `wider`
};
StatusOr<FaceSearchResult> SearchFaces(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                       const CascadeSearch& search, FaceSizes sizes,
                                       const StopCheck& stop);

}  // namespace facegate
