// ParseH5(), ParseTensorFlowCheckpoint() and FromKeras(): tensors within their bounds, or
// kInvalidArgument (or kDataLoss). Bytes after "TF" are the entries of an index, whose length comes
// first in two bytes, and the numbers; the frame with its sums is made here. Bytes that are no HDF5
// file either are a list of tensors for FromKeras() alone, one in a line: a path and its extents.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/base/coding.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/tensorflow_bytes.h"
#include "trainer/keras/h5_file.h"
#include "trainer/keras/keras_weights.h"
#include "trainer/keras/tensorflow_checkpoint.h"

namespace facegate {
namespace {

constexpr int64_t kMaxListed = 1 << 12;  // numbers of a tensor of the list

size_t CheckedBytes(const TensorMap& tensors) {
  size_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    FACEGATE_CHECK(tensor.element_count() >= 0);
    FACEGATE_CHECK(tensor.bytes.size() ==
                   static_cast<uint64_t>(tensor.element_count()) * SizeOf(tensor.dtype));
    total += tensor.bytes.size();
  }
  return total;
}

void RunTensors(TensorMap tensors) {
  const size_t before = CheckedBytes(tensors);
  const StatusOr<TensorMap> renamed = FromKeras(std::move(tensors));
  if (!renamed.ok()) {
    FACEGATE_CHECK(renamed.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  FACEGATE_CHECK(CheckedBytes(*renamed) == before);
}

void RunFile(std::string_view bytes) {
  StatusOr<TensorMap> tensors = ParseH5(bytes);
  if (!tensors.ok()) {
    FACEGATE_CHECK(tensors.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  FACEGATE_CHECK(CheckedBytes(*tensors) <= bytes.size());
  RunTensors(*std::move(tensors));
}

void RunCheckpoint(std::string_view bytes) {
  const auto length = TakeLittleEndian<uint16_t>(bytes);
  if (!length.has_value()) return;
  const std::string index = TensorFlowWriter::Index(std::string(bytes.substr(0, *length)));
  const std::vector<std::string> shards = {
      std::string(bytes.substr(std::min<size_t>(bytes.size(), *length)))};
  StatusOr<TensorMap> tensors = ParseTensorFlowCheckpoint(index, shards);
  if (!tensors.ok()) {
    FACEGATE_CHECK(tensors.status().code() == StatusCode::kInvalidArgument ||
                   tensors.status().code() == StatusCode::kDataLoss);
    return;
  }
  CheckedBytes(*tensors);
  RunTensors(*std::move(tensors));
}

// "conv/kernel:0 1 1 3 4"
void RunList(std::string_view text) {
  TensorMap tensors;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string name(line.substr(0, line.find(' ')));
    Tensor tensor;
    for (line.remove_prefix(name.size()); line.starts_with(' ');) {
      int64_t extent = 0;
      line.remove_prefix(1);
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), extent);
      if (error != std::errc()) return;
      line.remove_prefix(static_cast<size_t>(end - line.data()));
      tensor.shape.push_back(extent);
    }
    const int64_t count = tensor.element_count();
    if (count < 0 || count > kMaxListed || tensor.shape.size() > kMaxDimensions) return;
    tensor.bytes.resize(static_cast<size_t>(count) * sizeof(float));
    tensors.emplace(name, std::move(tensor));
  }
  RunTensors(std::move(tensors));
}

}  // namespace
}  // namespace facegate

// libhdf5 does not free what it has read of a file that turns out to be broken.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libhdf5";
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  if (facegate::LooksLikeH5(bytes)) {
    facegate::RunFile(bytes);
  } else if (bytes.starts_with("TF")) {
    facegate::RunCheckpoint(bytes.substr(2));
  } else {
    facegate::RunList(bytes);
  }
  return 0;
}
