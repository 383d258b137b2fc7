// RecordIO: any bytes are indexed or refused, by the index that stands in front of them, and
// without one; photos are within the bytes.
#include <algorithm>

#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/record_io.h"

namespace facegate {
namespace {

void Read(std::string_view bytes, std::string_view index) {
  const StatusOr<RecordIoIndex> found = IndexRecordIo(bytes, index);
  if (!found.ok()) {
    FACEGATE_CHECK(found.status().code() == StatusCode::kInvalidArgument ||
                   found.status().code() == StatusCode::kDataLoss);
    return;
  }
  FACEGATE_CHECK(found->labels.size() == found->places.size());
  size_t total = 0;
  for (const RecordIoPlace& place : found->places) {
    const StatusOr<std::string> image = RecordIoImage(bytes, place.offset);
    FACEGATE_CHECK(image.ok() && !image->empty());
    total += image->size();
  }
  // Records do not overlap.
  FACEGATE_CHECK(total <= bytes.size());
}

}  // namespace
}  // namespace facegate

// The index ends with a zero byte, where there is one.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::Read(bytes, {});
  const size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return 0;
  const facegate::ExactCopy records(bytes.substr(end + 1));
  facegate::Read(records.view(), bytes.substr(0, end));
  return 0;
}
