// ParseMemfileConf(), and ParseNpyTruths() of the list beside a set: a number of pictures and truth
// values within their bounds, or kInvalidArgument.
#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/float_pairs.h"
#include "trainer/photos/memfile_pairs.h"
#include "trainer/photos/npy_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace facegate;
  const std::string_view bytes = AsText(data, size);
  const StatusOr<size_t> pictures = ParseMemfileConf(bytes);
  FACEGATE_CHECK(pictures.ok() ? *pictures <= kMostFloatPictures
                               : pictures.status().code() == StatusCode::kInvalidArgument);
  const StatusOr<std::vector<bool>> truths = ParseNpyTruths(bytes);
  FACEGATE_CHECK(truths.ok() ? truths->size() < bytes.size()
                             : truths.status().code() == StatusCode::kInvalidArgument);
  return 0;
}
