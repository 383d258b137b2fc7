#include "face/weights/bundled_quality.h"

#include <cstddef>
#include <string>

#include "face/weights/embedded_file.h"
#include "face/weights/network_file.h"

// NOLINTBEGIN(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)
FACEGATE_EMBED_FILE(facegate_bundled_quality, FACEGATE_QUALITY_FILE)
// NOLINTEND(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)

namespace facegate {

StatusOr<QualityWeights> BundledQualityWeights() {
  const char* const begin = facegate_bundled_quality;
  const auto size = static_cast<size_t>(facegate_bundled_quality_end - begin);
  return ParseNetworkWeights(std::string(begin, size), "the bundled quality network",
                             NetworkKind::kQuality);
}

}  // namespace facegate
