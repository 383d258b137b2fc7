// ParseTorchPickle() on zip and legacy files, and the pickle machine on bare pickles: a state dict
// within its bounds, or kInvalidArgument.
#include "face/base/check.h"
#include "face/weights/pickle_machine.h"
#include "face/weights/state_dict.h"
#include "face/weights/torch_pickle.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

void RunFile(std::string_view bytes) {
  const StatusOr<TensorMap> tensors = ParseTorchPickle(bytes);
  if (!tensors.ok()) {
    FACEGATE_CHECK(tensors.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  FACEGATE_CHECK(!tensors->empty());
  size_t total = 0;
  for (const auto& [name, tensor] : *tensors) {
    FACEGATE_CHECK(tensor.element_count() >= 0);
    FACEGATE_CHECK(tensor.bytes.size() ==
                   static_cast<uint64_t>(tensor.element_count()) * SizeOf(tensor.dtype));
    total += tensor.bytes.size();
  }
  FACEGATE_CHECK(total <= 4 * bytes.size());
}

// The two formats put a head of many fixed bytes before the first pickle, which a fuzzer seldom
// keeps whole.
void RunBarePickle(std::string_view bytes) {
  const StatusOr<Pickle> pickle = RunPickle(bytes, 0);
  if (!pickle.ok()) {
    FACEGATE_CHECK(pickle.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  FACEGATE_CHECK(pickle->size <= bytes.size());
  FACEGATE_CHECK(pickle->root < pickle->graph.values.size());
  const auto places = FindStateDicts(pickle->graph, pickle->root);
  if (!places.ok()) {
    FACEGATE_CHECK(places.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  for (const StateDictPlace& place : *places) {
    FACEGATE_CHECK(place.tensors > 0);
    FACEGATE_CHECK(pickle->graph.Get<PickleDict>(place.dict) != nullptr);
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::RunFile(bytes);
  facegate::RunBarePickle(bytes);
  return 0;
}
