#include "tests/bench/embed_on_command.h"

#include <fmt/format.h>

#include <bit>
#include <filesystem>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/base/file.h"
#include "face/embed/canary.h"
#include "face/image/preprocessing.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr uint64_t kFacesSeed = 7;

void AppendFloats(Tensor& tensor, std::span<const float> values) {
  for (const float value : values) AppendLittleEndian(tensor.bytes, std::bit_cast<uint32_t>(value));
}

Status WriteFaces(Embedder& embedder, const std::vector<AlignedFace>& faces,
                  const std::string& path) {
  const auto count = static_cast<int64_t>(faces.size());
  const Preprocessing& preprocessing = embedder.card().preprocessing;
  Tensor inputs{.shape = {count, 3, preprocessing.input_height, preprocessing.input_width},
                .bytes = {}};
  std::vector<float> input(preprocessing.input_floats());
  for (const AlignedFace& face : faces) {
    FACEGATE_RETURN_IF_ERROR(WriteNetworkInput(face, preprocessing, /*mirrored=*/false, input));
    AppendFloats(inputs, input);
  }
  Tensor outputs{.shape = {count, embedder.card().embedding_size}, .bytes = {}};
  FACEGATE_ASSIGN_OR_RETURN(const auto embeddings, embedder.Embed(faces));
  for (const Embedding& embedding : embeddings) AppendFloats(outputs, embedding.values());
  Safetensors file;
  file.tensors.emplace("input", std::move(inputs));
  file.tensors.emplace("embedding", std::move(outputs));
  return WriteFileAtomically(path, SerializeSafetensors(file));
}

struct Command {
  size_t batch = 0;
  double seconds = 0.0;
};

std::optional<Command> ParseCommand(const std::string& line) {
  std::istringstream words(line);
  Command command;
  if (!(words >> command.batch >> command.seconds) || command.batch < 1) return std::nullopt;
  return command;
}

}  // namespace

Status EmbedOnCommand(const EmbedderShape& shape, const std::string& folder) {
  const std::filesystem::path path(folder);
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, RandomModelFile(shape.architecture));
  FACEGATE_RETURN_IF_ERROR(WriteModelFile((path / "model.safetensors").string(), std::move(model)));
  FACEGATE_ASSIGN_OR_RETURN(const auto embedder, MakeRandomEmbedder(shape));
  const auto faces = CanaryFaces(kFacesSeed, shape.max_batch, AlignmentTemplate::kArcFace112);
  FACEGATE_RETURN_IF_ERROR(WriteFaces(*embedder, faces, (path / "faces.safetensors").string()));
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::optional<Command> command = ParseCommand(line);
    if (!command.has_value() || command->batch > faces.size()) {
      return InvalidArgument(fmt::format("\"{}\" is no \"BATCH SECONDS\" with a batch of 1 to {}",
                                         line, faces.size()));
    }
    const auto batch = std::span(faces).first(command->batch);
    FACEGATE_RETURN_IF_ERROR(embedder->Embed(batch).status());
    FACEGATE_ASSIGN_OR_RETURN(const Timing timing,
                              MeasureEmbed(*embedder, batch, command->seconds));
    std::cout << fmt::format("{:.6f}", timing.median_ms) << std::endl;
  }
  return OkStatus();
}

}  // namespace facegate
