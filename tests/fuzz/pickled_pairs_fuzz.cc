// ParsePickledPairs(): pictures that are parts of the file, or kInvalidArgument.
#include <functional>

#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/pickled_pairs.h"

namespace facegate {
namespace {

bool IsWithin(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> is_before;
  return part.empty() || (is_before(whole.data(), part.data()) &&
                          is_before(part.data() + part.size(), whole.data() + whole.size()));
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facegate;
  const std::string_view bytes = AsText(data, size);
  const StatusOr<PickledPairs> pairs = ParsePickledPairs(bytes);
  if (!pairs.ok()) {
    FACEGATE_CHECK(pairs.status().code() == StatusCode::kInvalidArgument);
    return 0;
  }
  for (const PickledPicture& picture : pairs->pictures) {
    FACEGATE_CHECK(IsWithin(picture.bytes, bytes));
    const StatusOr<std::string> encoded = BytesOf(picture);
    FACEGATE_CHECK(!encoded.ok() || encoded->size() <= bytes.size());
  }
  // One value may stand in a list many times, but each time costs bytes.
  FACEGATE_CHECK(pairs->pictures.size() + pairs->same.size() <= bytes.size());
  return 0;
}
