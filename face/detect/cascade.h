#pragma once

#include <memory>
#include <string>

#include "face/detect/detector.h"

namespace facegate {

struct CascadeOptions {
  // Folder with haarcascade_frontalface_alt2.xml and haarcascade_eye*.xml; Debian's package
  // opencv-data.
  std::string directory = "/usr/share/opencv4/haarcascades";
  double scale_step = 1.1;       // between scales, > 1
  int min_neighbours = 4;        // overlapping hits that make a face
  double min_face_share = 0.08;  // smallest face as a share of the picture's shorter side
  int max_side = 640;            // larger pictures are scaled down for detection, pixels
};

// Viola-Jones cascades (2001): a box, and two eyes looked for in its upper half; where the eyes are
// not found they are put where they lie in an average box. The fallback that needs no download.
// Fails when a file is absent.
StatusOr<std::unique_ptr<Detector>> CreateCascadeDetector(const CascadeOptions& options);

}  // namespace facegate
