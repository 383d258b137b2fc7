#include "face/model/bundled_landmarks.h"

#include <cstddef>
#include <string>

#include "face/model/landmark_file.h"

// The file's bytes, put between two names by the assembler: no compiler takes long to read them.
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "facegate_bundled_landmarks:\n"
    ".incbin \"" FACEGATE_LANDMARKS_FILE
    "\"\n"
    "facegate_bundled_landmarks_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
// NOLINTBEGIN(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)
extern const char facegate_bundled_landmarks[] __attribute__((visibility("hidden")));
extern const char facegate_bundled_landmarks_end[] __attribute__((visibility("hidden")));
// NOLINTEND(readability-identifier-naming,cppcoreguidelines-avoid-c-arrays)
}

namespace facegate {

StatusOr<LandmarkWeights> BundledLandmarkWeights() {
  const char* const begin = facegate_bundled_landmarks;
  const auto size = static_cast<size_t>(facegate_bundled_landmarks_end - begin);
  return ParseLandmarkWeights(std::string(begin, size), "the bundled landmark network");
}

}  // namespace facegate
