// ParseSafetensors(), the model card's reader and ModelFileFrom(): what is read can be written and
// reads back the same. Bytes that begin with '{' are taken as a card alone.
#include "face/base/check.h"
#include "face/weights/model_card_reader.h"
#include "face/weights/model_file.h"
#include "face/weights/safetensors.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

void CheckTensors(const TensorMap& tensors, size_t file_bytes) {
  size_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    FACEGATE_CHECK(tensor.element_count() >= 0);
    FACEGATE_CHECK(tensor.bytes.size() ==
                   static_cast<uint64_t>(tensor.element_count()) * SizeOf(tensor.dtype));
    total += tensor.bytes.size();
  }
  FACEGATE_CHECK(total <= file_bytes);
}

void RunCard(std::string_view json) {
  const StatusOr<ModelCard> card = ModelCardFromJson(json);
  if (!card.ok()) {
    FACEGATE_CHECK(card.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  const std::string written = ModelCardToJson(*card);
  const StatusOr<ModelCard> again = ModelCardFromJson(written);
  FACEGATE_CHECK(again.ok());
  FACEGATE_CHECK(ModelCardToJson(*again) == written);
  FACEGATE_CHECK(again->preprocessing == card->preprocessing);
}

// The card gets the digests that the file has, so that no digest stands before what follows.
void RunModelFile(Safetensors file) {
  const auto json = file.metadata.find(std::string(kCardKey));
  if (json == file.metadata.end()) return;
  RunCard(json->second);
  StatusOr<ModelCard> card = ModelCardFromJson(json->second);
  if (!card.ok()) return;
  card->model_digest = ModelDigest(card->architecture, file.tensors);
  card->preprocessing_digest = PreprocessingDigest(card->preprocessing);
  json->second = ModelCardToJson(*card);
  const TensorMap tensors = file.tensors;
  const StatusOr<ModelFile> model = ModelFileFrom(std::move(file));
  FACEGATE_CHECK(model.ok());
  FACEGATE_CHECK(model->tensors == tensors);
}

void RunFile(std::string_view bytes) {
  StatusOr<Safetensors> file = ParseSafetensors(bytes);
  if (!file.ok()) {
    FACEGATE_CHECK(file.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  FACEGATE_CHECK(LooksLikeSafetensors(bytes));
  CheckTensors(file->tensors, bytes.size());
  const ExactCopy written(SerializeSafetensors(*file));
  const StatusOr<Safetensors> again = ParseSafetensors(written.view());
  FACEGATE_CHECK(again.ok());
  FACEGATE_CHECK(again->tensors == file->tensors && again->metadata == file->metadata);
  RunModelFile(*std::move(file));
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = facegate::AsText(data, size);
  facegate::RunFile(bytes);
  if (bytes.starts_with('{')) facegate::RunCard(bytes);
  return 0;
}
