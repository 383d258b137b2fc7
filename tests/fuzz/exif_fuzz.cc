// ExifOrientation(): an orientation for any bytes, the same with and without the marker in front.
#include <string>

#include "face/base/check.h"
#include "face/image/exif.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using facegate::ExifOrientation;
  const std::string_view block = facegate::AsText(data, size);
  const int orientation = ExifOrientation(block);
  FACEGATE_CHECK(orientation >= 1 && orientation <= 8);

  constexpr std::string_view kMarker{"Exif\0\0", 6};
  if (!block.starts_with(kMarker)) {
    const facegate::ExactCopy marked(std::string(kMarker).append(block));
    FACEGATE_CHECK(ExifOrientation(marked.view()) == orientation);
  }
  return 0;
}
