#include "face/weights/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "face/base/file.h"
#include "face/weights/model_card_reader.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

Status CheckDigest(std::string_view what, std::string_view recorded, std::string_view actual) {
  if (recorded == actual) return OkStatus();
  return InvalidArgument(
      fmt::format("the card's {} digest is {}, the file's is {}", what, recorded, actual));
}

}  // namespace

Status CheckEmbedsFaces(const Safetensors& file) {
  constexpr std::string_view kOurs = "facegate-";
  constexpr std::string_view kVersion = "-1";
  const auto kind = file.metadata.find("kind");
  if (kind == file.metadata.end() || file.metadata.contains(std::string(kCardKey))) {
    return OkStatus();
  }
  std::string_view name = kind->second;
  if (!name.starts_with(kOurs) || !name.ends_with(kVersion)) return OkStatus();
  name.remove_prefix(kOurs.size());
  name.remove_suffix(std::min(kVersion.size(), name.size()));
  return InvalidArgument(
      fmt::format("it holds a network for {}, none that embeds faces", Quote(name)));
}

StatusOr<ModelFile> ModelFileFrom(Safetensors file) {
  FACEGATE_RETURN_IF_ERROR(CheckEmbedsFaces(file));
  const auto json = file.metadata.find(std::string(kCardKey));
  if (json == file.metadata.end()) {
    return InvalidArgument(fmt::format(
        "there is no model card ({} in the metadata): facegate-train import adds one", kCardKey));
  }
  FACEGATE_ASSIGN_OR_RETURN(ModelCard card, ModelCardFromJson(json->second));
  FACEGATE_RETURN_IF_ERROR(CheckDigest("preprocessing", card.preprocessing_digest,
                                       PreprocessingDigest(card.preprocessing)));
  FACEGATE_RETURN_IF_ERROR(
      CheckDigest("model", card.model_digest, ModelDigest(card.architecture, file.tensors)));
  return ModelFile{.card = std::move(card), .tensors = std::move(file.tensors)};
}

StatusOr<ModelFile> ReadModelFile(const std::string& path) {
  StatusOr<Safetensors> parsed = [&]() -> StatusOr<Safetensors> {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightFileBytes));
    StatusOr<Safetensors> file = ParseSafetensors(bytes);
    return file.ok() ? std::move(file) : Annotate(file.status(), path);
  }();
  FACEGATE_RETURN_IF_ERROR(parsed.status());
  StatusOr<ModelFile> file = ModelFileFrom(*std::move(parsed));
  return file.ok() ? std::move(file) : Annotate(file.status(), path);
}

Status WriteModelFile(const std::string& path, ModelFile file) {
  FACEGATE_RETURN_IF_ERROR(CheckTensors(file.tensors));
  file.card.model_digest = ModelDigest(file.card.architecture, file.tensors);
  file.card.preprocessing_digest = PreprocessingDigest(file.card.preprocessing);
  std::string json = ModelCardToJson(file.card);
  FACEGATE_ASSIGN_OR_RETURN(const ModelCard read_back, ModelCardFromJson(json));
  FACEGATE_RETURN_IF_ERROR(CheckDigest("preprocessing", file.card.preprocessing_digest,
                                       PreprocessingDigest(read_back.preprocessing)));
  const Safetensors out{.tensors = std::move(file.tensors),
                        .metadata = {{std::string(kCardKey), std::move(json)}}};
  return WriteFileAtomically(path, SerializeSafetensors(out));
}

}  // namespace facegate
