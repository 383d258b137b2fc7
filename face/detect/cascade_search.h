#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <opencv2/objdetect.hpp>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/image.h"

namespace facegate {

inline constexpr char kFaceCascadeFile[] = "haarcascade_frontalface_alt2.xml";
// The smallest face that this cascade knows, pixels.
inline constexpr int kSmallestFace = 20;

// What a cascade found, pixels of the searched picture.
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

// kNotFound or kInternal when the file of the folder is no cascade.
Status LoadCascade(const std::string& directory, const char* file, cv::CascadeClassifier& cascade);

// Everything between `smallest` and `largest` (empty: no limit).
std::vector<CascadeHit> FindHits(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                                 const CascadeSearch& search, cv::Size smallest, cv::Size largest);

// A picture without colours, scaled down until its longer side is at most `max_side`.
struct GreyPicture {
  cv::Mat pixels;
  double scale = 1.0;  // its size over the picture's, at most 1
};
GreyPicture GreyForSearch(const Image& image, int max_side);

// The faces of a grey picture.
struct FaceSearchResult {
  cv::Mat wider;                 // the picture with the search's border around it
  int border = 0;                // pixels
  std::vector<CascadeHit> hits;  // in pixels of `wider`
};
// `min_face_share`: the smallest face as a share of the picture's shorter side.
FaceSearchResult SearchFaces(cv::CascadeClassifier& cascade, const cv::Mat& grey,
                             const CascadeSearch& search, double min_face_share);

}  // namespace facegate
