// DecodeBcolzChunk() and ParseBcolzLayout(): what they accept is within its bounds, else it is
// kInvalidArgument. The first byte says which of the three files the rest is.
#include <algorithm>

#include "face/base/check.h"
#include "tests/fuzz/fuzz_input.h"
#include "trainer/photos/bcolz_pairs.h"

namespace facegate {
namespace {

constexpr std::string_view kSizes = R"({"shape": [12, 3, 112, 112]})";
constexpr std::string_view kStorage = R"({"dtype": "float32", "chunklen": 13})";
constexpr size_t kMost = 1 << 20;

void RunChunk(std::string_view file) {
  const StatusOr<std::string> values = DecodeBcolzChunk(file, 0, kMost);
  if (values.ok()) {
    FACEGATE_CHECK(values->size() <= kMost);
  } else {
    FACEGATE_CHECK(values.status().code() == StatusCode::kInvalidArgument);
  }
}

void RunLayout(std::string_view sizes, std::string_view storage) {
  const StatusOr<BcolzLayout> layout = ParseBcolzLayout(sizes, storage);
  if (layout.ok()) {
    FACEGATE_CHECK(layout->chunk_pictures > 0 && layout->chunk_pictures <= kMostChunkPictures);
    FACEGATE_CHECK(layout->chunk_pictures <= std::max<size_t>(layout->pictures, 1));
  } else {
    FACEGATE_CHECK(layout.status().code() == StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = facegate::AsText(data + 1, size - 1);
  if (data[0] == 's') {
    facegate::RunLayout(rest, facegate::kStorage);
  } else if (data[0] == 't') {
    facegate::RunLayout(facegate::kSizes, rest);
  } else {
    facegate::RunChunk(rest);
  }
  return 0;
}
