#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string_view>

#include "face/base/random.h"
#include "face/base/status.h"

namespace facegate {

// Names what was mainly done to a crop. The numbers are in files of samples: do not change them.
enum class ViewFlaw : uint8_t {
  kNone = 0,
  kTurned = 1,      // by quarters
  kMisaligned = 2,  // turned, moved and scaled in any way
  kNoFace = 3,      // a part of a face, pieces in disorder, or waves
  kSmall = 4,
  kDark = 5,
  kBright = 6,
  kFlat = 7,  // little contrast
  kFog = 8,
  kBlurred = 9,
  kMoved = 10,   // motion blur
  kPacked = 11,  // JPEG
  kNoisy = 12,
  kNegative = 13,
  kHidden = 14,  // a part of the face
  kDarkGlasses = 15,
  kMask = 16,
  kBorder = 17,  // cut by the border of the photo
  kScribbled = 18,
};
inline constexpr size_t kViewFlaws = 19;
std::string_view ViewFlawName(ViewFlaw flaw);

// A crop as it comes out of a photo with a flaw, after detection and alignment.
struct QualityView {
  cv::Mat crop{};  // 8-bit BGR, of the size of the clean one
  ViewFlaw flaw = ViewFlaw::kNone;
  // Nothing where it cannot be said.
  std::optional<bool> eyes_visible{};
  std::optional<bool> mouth_visible{};
};

// `clean`: an aligned crop of ArcFace's template. One flaw of random kind and strength, in a third
// of the views a mild second one, and landmarks that are a little off, more so where the face is
// small. Follows from `random` alone.
StatusOr<QualityView> DrawQualityView(const cv::Mat& clean, RandomStream& random);

}  // namespace facegate
