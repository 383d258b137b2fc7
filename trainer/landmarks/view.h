#pragma once

#include <array>
#include <opencv2/core/mat.hpp>

#include "face/base/random.h"
#include "face/base/status.h"
#include "face/detect/face_frame.h"
#include "trainer/landmarks/sample.h"

namespace facegate {

// A view that the network is shown, and the answer that it should give.
struct LandmarkView {
  cv::Mat crop;  // 8-bit grey, of kLandmarkCropSide
  bool face = false;
  std::array<float, 10> target{};  // outputs of the network; of faces alone
};

// Says how far the frame of a view is from that of the face.
enum class ViewJitter {
  kCoarse,  // as a cascade's box is: moved, of another size, turned by up to 25°
  kFine,    // as after a first look
  kPlain,   // the same, in the photo's own light and sharpness
};

struct FaceViewOptions {
  ViewJitter jitter = ViewJitter::kCoarse;
  bool mirrored = false;
};

// A view of a face: a jittered frame, mirrored or not, and but for kPlain other light, blur, noise
// and things in front of it. Follows from `random` alone.
StatusOr<LandmarkView> FaceView(const LandmarkSample& sample, const FaceViewOptions& options,
                                RandomStream& random);
// A view of a face's surroundings or of a part of it that a detector should not take for a face.
StatusOr<LandmarkView> BadView(const LandmarkSample& sample, RandomStream& random);
// A view of a box without a face.
StatusOr<LandmarkView> NegativeView(const NegativeSample& sample, RandomStream& random);

}  // namespace facegate
