#include "face/weights/bundled_landmarks.h"

#include <cstddef>
#include <string>

#include "face/weights/embedded_file.h"
#include "face/weights/network_file.h"

// NOLINTBEGIN(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)
FACEGATE_EMBED_FILE(facegate_bundled_landmarks, FACEGATE_LANDMARKS_FILE)
// NOLINTEND(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)

namespace facegate {

StatusOr<LandmarkWeights> BundledLandmarkWeights() {
  const char* const begin = facegate_bundled_landmarks;
  const auto size = static_cast<size_t>(facegate_bundled_landmarks_end - begin);
  return ParseNetworkWeights(std::string(begin, size), "the bundled landmark network",
                             NetworkKind::kLandmarks);
}

}  // namespace facegate
