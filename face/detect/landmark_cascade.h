#pragma once

#include <memory>
#include <string>

#include "face/detect/detector.h"
#include "face/weights/network_weights.h"

namespace facegate {

struct LandmarkCascadeOptions {
  // Folder with haarcascade_frontalface_alt2.xml; Debian's package opencv-data.
  std::string directory = "/usr/share/opencv4/haarcascades";
  double scale_step = 1.1;       // between scales, > 1
  int min_neighbours = 2;        // overlapping hits that make a box to look at, 1 or more
  double min_face_share = 0.08;  // smallest face as a share of the picture's shorter side, 0..1
  int max_side = 640;            // larger pictures are scaled down to look for boxes, pixels
  // Faces of this width, pixels, are found however large the picture; in pictures of about two
  // megapixels from 1.25 times this on, which spares them a second search.
  int min_face_pixels = 80;
  double min_confidence = 0.5;  // of the network in a face, 0..1
};

// A Viola-Jones cascade (2001) finds boxes with a loose setting, a small network finds five
// landmarks in each and says whether it is a face at all (landmark_finder.h). Where no face is left
// the search is repeated with milder settings and then with the picture's edges extended, for a
// face that fills the picture. A large picture, or one of extreme shape, is first searched at finer
// scales too, down to faces of min_face_pixels. One search takes a core some 90 ms for photos of up
// to two megapixels and 30 to 60 ms for each megapixel of larger ones. Of 20 faces 105 pixels wide
// 19 are found in 4000x3000 and in 12000x300 pixels (none without the fine search); with 60 for 80
// pixels two megapixels cost 160 ms (large_picture_bench --min-face-pixels 60 80 1000). Needs no
// download. Named "haar+landmarks:" and the digest of the weights. Fails when the cascade's file is
// absent or the weights are not those of the network.
StatusOr<std::unique_ptr<Detector>> CreateLandmarkCascadeDetector(
    const LandmarkCascadeOptions& options, LandmarkWeights weights);

}  // namespace facegate
