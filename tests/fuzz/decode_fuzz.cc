// DecodeImage(): every format; the answer is a picture within the limits, of the size that its
// header names, or one of the two refusals. Nothing of it touches the disk.
#include <cstdio>
#include <cstdlib>

#include "face/base/check.h"
#include "face/image/decode.h"
#include "face/image/image_header.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

// Small, so that a picture that only claims to be large costs little.
constexpr DecodeLimits kLimits{.max_bytes = 64 << 10, .max_pixels = 1'000'000, .max_side = 4000};

// Twelve bytes a pixel, and rows and tables.
constexpr uint64_t kMostReserved = 12 * kLimits.max_pixels + (8 << 20);

void CheckRefusal(const Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  FACEGATE_CHECK(reason == Reason::kImageUndecodable || reason == Reason::kImageTooLarge);
  FACEGATE_CHECK(CodeOf(*reason) == status.code());
}

void CheckPicture(const Image& image, const ImageHeader& header) {
  FACEGATE_CHECK(image.bgr.type() == CV_8UC3 && image.bgr.dims == 2);
  FACEGATE_CHECK(image.width() >= 1 && image.height() >= 1);
  FACEGATE_CHECK(image.width() <= kLimits.max_side && image.height() <= kLimits.max_side);
  FACEGATE_CHECK(static_cast<uint64_t>(image.width()) * static_cast<uint64_t>(image.height()) <=
                 kLimits.max_pixels);
  const bool turned = header.orientation >= 5;
  FACEGATE_CHECK(image.width() == (turned ? header.height : header.width));
  FACEGATE_CHECK(image.height() == (turned ? header.width : header.height));
}

// The pixels must be there: AddressSanitizer sees a row that is not.
uint64_t SumOfPixels(const cv::Mat& bgr) {
  uint64_t sum = 0;
  for (int y = 0; y < bgr.rows; ++y) {
    const uint8_t* const row = bgr.ptr<uint8_t>(y);
    for (int i = 0; i < 3 * bgr.cols; ++i) sum += row[i];
  }
  return sum;
}

}  // namespace
}  // namespace facegate

// Replaces the C library's: OpenCV makes such a file for decoders that read no memory, which no
// picture of ours is for.
extern "C" int mkstemp(char* /*pattern*/) {
  std::fputs("a picture was about to be written to a temporary file\n", stderr);
  std::abort();
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facegate;
  const std::string_view encoded = AsText(data, size);
  uint64_t reserved = 0;
  const DecodeControl control{.stop = {}, .reserve = [&](uint64_t bytes) {
                                reserved = bytes;
                                return OkStatus();
                              }};
  const StatusOr<Image> image = DecodeImage(encoded, kLimits, control);
  if (!image.ok()) {
    CheckRefusal(image.status());
    return 0;
  }
  const StatusOr<ImageHeader> header = ParseImageHeader(encoded);
  FACEGATE_CHECK(header.ok());
  CheckPicture(*image, *header);
  FACEGATE_CHECK(reserved >= 3 * header->pixels() && reserved <= kMostReserved);
  FACEGATE_CHECK(SumOfPixels(image->bgr) <= uint64_t{3} * 255 * kLimits.max_pixels);
  return 0;
}
