// DecodeImage() with HEIC and AVIF allowed: a picture within the limits, or a refusal. Where
// libheif is not installed, a refusal of each.
#include "face/base/check.h"
#include "face/image/decode.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

constexpr DecodeLimits kLimits{
    .max_bytes = 64 << 10, .max_pixels = 1'000'000, .max_side = 4000, .heif = true};

}  // namespace
}  // namespace facegate

// The codecs behind libheif lose some bytes over broken data, which is not ours to repair.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libdav1d\nleak:libaom\nleak:libde265\nleak:libheif\n";
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facegate;
  const StatusOr<Image> image = DecodeImage(AsText(data, size), kLimits);
  if (!image.ok()) {
    const std::optional<Reason> reason = ReasonOf(image.status());
    FACEGATE_CHECK(reason == Reason::kImageUndecodable || reason == Reason::kImageTooLarge);
    return 0;
  }
  FACEGATE_CHECK(image->bgr.type() == CV_8UC3 && image->width() >= 1 && image->height() >= 1);
  FACEGATE_CHECK(image->width() <= kLimits.max_side && image->height() <= kLimits.max_side);
  FACEGATE_CHECK(image->bgr.total() <= kLimits.max_pixels);
  return 0;
}
