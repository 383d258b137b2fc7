#include "tests/bench/embed_timing.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "face/embed/torch/torch_embedder.h"
#include "face/embed/usual_preprocessing.h"
#include "face/network/architecture.h"
#include "face/network/random_weights.h"

namespace facegate {

StatusOr<ModelFile> RandomModelFile(const std::string& architecture) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(architecture, 1));
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network, DescribeArchitecture(architecture));
  file.card.embedding_size = static_cast<int>(network.outputs);
  file.card.preprocessing = UsualPreprocessing(network.input);
  file.card.architecture = architecture;
  return file;
}

StatusOr<std::unique_ptr<Embedder>> MakeRandomEmbedder(const EmbedderShape& shape) {
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, RandomModelFile(shape.architecture));
  return MakeTorchEmbedder(std::move(file), {.threads = shape.threads,
                                             .max_batch = shape.max_batch,
                                             .device = "cpu",
                                             .run_canary = false});
}

StatusOr<Timing> MeasureEmbed(Embedder& embedder, std::span<const AlignedFace> faces,
                              double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> rounds;
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  do {
    const Clock::time_point started = Clock::now();
    FACEGATE_RETURN_IF_ERROR(embedder.Embed(faces).status());
    rounds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started).count());
  } while (Clock::now() < end || rounds.size() < 3);
  std::sort(rounds.begin(), rounds.end());
  return Timing{rounds.front(), rounds[rounds.size() / 2], rounds.size()};
}

}  // namespace facegate
