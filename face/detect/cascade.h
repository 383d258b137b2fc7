#pragma once

#include <memory>
#include <string>

#include "face/detect/detector.h"

namespace facegate {

struct CascadeOptions {
  // Folder with haarcascade_frontalface_alt2.xml, haarcascade_eye_tree_eyeglasses.xml,
  // haarcascade_lefteye_2splits.xml and haarcascade_righteye_2splits.xml; Debian's package
  // opencv-data.
  std::string directory = "/usr/share/opencv4/haarcascades";
  double scale_step = 1.1;       // between scales, > 1
  int min_neighbours = 4;        // overlapping hits that make a face, 1 or more
  double min_face_share = 0.08;  // smallest face as a share of the picture's shorter side, 0..1
  int max_side = 640;            // larger pictures are scaled down for detection, pixels
  // Faces of this width, pixels, are found however large the picture; in pictures of about two
  // megapixels from 1.25 times this on, which spares them a second search.
  int min_face_pixels = 80;
};

// Viola-Jones cascades (2001): a box, and two eyes looked for in its upper half. What the eye
// cascades say is weighed against where eyes lie in an average box (eye_fusion.h), so there are
// always two eyes. Where nothing is found the search is repeated with milder settings and then with
// the picture's edges extended, for a face that fills the picture. Large pictures are searched at
// finer scales too, as by the landmark cascade. The fallback that needs no download. Fails when a
// file is absent.
StatusOr<std::unique_ptr<Detector>> CreateCascadeDetector(const CascadeOptions& options);

}  // namespace facegate
