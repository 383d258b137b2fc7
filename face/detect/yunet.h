#pragma once

#include <memory>
#include <string>

#include "face/detect/detector.h"

namespace facegate {

struct YuNetOptions {
  std::string model_path;  // the 2023 ONNX file (yunet_n_dynamic.onnx or yunet_n_320_320.onnx)
  float score_threshold = 0.6f;  // 0..1
  float nms_iou = 0.3f;          // of two boxes that overlap more, the weaker is dropped
  // A picture whose longer side exceeds this is scaled down for detection, pixels. Where nothing is
  // found, half and quarter of it are tried too: a face that fills a close-up is too large for the
  // network, which knows faces of about 20 to 450 pixels.
  int max_side = 640;
  // A picture whose shorter side is below this is scaled up to it (as far as max_side allows),
  // pixels. With 320 the landmarks of a 250x250 photo equal those of the 320x320 network.
  int min_side = 320;
  // Faces of this width, pixels, are found however large the picture is: where scaling it down to
  // max_side makes them too small for the network, it is searched in tiles too. That takes a core
  // 20 ms for pictures of up to 3200 pixels a side, and 9 ms for each megapixel of larger ones.
  int min_face_pixels = 80;
};

// YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023) by cv::dnn. Outputs for
// each stride s of 8, 16, 32 and cell (r, c): score = sqrt(cls · obj), centre = ((c + dx) · s, (r +
// dy) · s), size = exp(w, h) · s, landmark = ((c + kx) · s, (r + ky) · s); non-maximum suppression
// after. Input: BGR 0..255, padded with black at the right and below to a multiple of 32,
// 64 at least. The files with a fixed and with a dynamic input size both run at any size. Fails
// when the file is absent or not such a network.
StatusOr<std::unique_ptr<Detector>> CreateYuNetDetector(const YuNetOptions& options);

}  // namespace facegate
