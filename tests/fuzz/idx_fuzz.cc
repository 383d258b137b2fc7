// ParseIdx: any bytes, plain or gzipped, are an array of just the size that its extents give, or
// are refused.
#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/idx_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto array = facegate::ParseIdx(facegate::AsText(data, size));
  if (!array.ok()) {
    FACEGATE_CHECK(array.status().code() == facegate::StatusCode::kInvalidArgument);
    return 0;
  }
  uint64_t count = 1;
  for (const uint32_t extent : array->shape) count *= extent;
  FACEGATE_CHECK(array->bytes.size() == count);
  return 0;
}
