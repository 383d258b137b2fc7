#pragma once

#include <array>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image.h"

namespace facegate {

// The landmark network's opinion of a face that was found and aligned (second_look.h).
struct SecondLook {
  double presence = 0.0;                // probability that the aligned crop shows a face
  std::array<cv::Point2f, 5> points{};  // where, in pixels of ArcFace's crop
};

struct DetectedFace {
  cv::Rect2f box;       // pixels of the upright picture; may reach beyond its edges
  Landmarks landmarks;  // five, or two eyes; empty when the detector found none (such a face cannot
                        // be aligned)
  float score = 0.0f;   // the detector's confidence, 0..1; not comparable between detectors
  int quarter_turns = 0;  // 0..3: clockwise turns of the picture that make the face upright
  std::optional<SecondLook> second_look{};  // nothing where nobody looked
};

// Finds faces in a picture. Thread-safe: concurrent calls run side by side, each on one thread.
class Detector {
 public:
  virtual ~Detector() = default;
  // Lists the faces, the highest score first. Empty when there is no face: that is an answer, not
  // an error. kInternal when the library fails. `stop` is asked between the steps of the search;
  // what it answers instead of OK is the answer. The longest steps that cannot be interrupted are
  // scaling a picture down (2 to 3 ms a megapixel) and one run of a network (YuNet: 25 ms;
  // landmarks: 2 ms).
  virtual StatusOr<std::vector<DetectedFace>> Detect(const Image& image, const StopCheck& stop) = 0;
  StatusOr<std::vector<DetectedFace>> Detect(const Image& image) { return Detect(image, {}); }
  // Is recorded with each template, such as "yunet:1f2a…" (the first 12 digits of the file's
  // sha256) or "haar".
  virtual const std::string& name() const = 0;
};

}  // namespace facegate
