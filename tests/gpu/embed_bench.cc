// Embedding on a card, or the CPU: faces a second and the time of a call for each batch size and
// number of callers, a line of JSON each. deploy/gpu-check.sh sets them beside PyTorch's.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "face/base/openmp.h"
#include "face/embed/canary.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/network/architecture.h"
#include "tests/bench/end_bench.h"
#include "tests/gpu/embed_speed.h"
#include "tests/gpu/seeded_model.h"

namespace facegate {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string architecture = "iresnet-50";
  std::string model{};  // a file, instead of random weights
  EmbedderOptions embedder{.run_canary = false};
  std::vector<size_t> batches = {1, 8, 64, 256};
  std::vector<size_t> callers = {1, 4};
  double seconds = 1.0;
  std::string folder{};     // for the model and faces; empty: they are not written
  bool on_command = false;  // else each batch with each number of callers
};

void Print(const Json& line) { std::cout << line.dump() << std::endl; }

// Measures one load and prints it.
Status PrintSpeed(Embedder& embedder, std::span<const AlignedFace> faces, const Load& load) {
  FACEGATE_ASSIGN_OR_RETURN(const Speed speed, MeasureEmbedding(embedder, faces, load));
  Print({{"batch", load.batch},
         {"callers", load.callers},
         {"faces_per_s", speed.faces_per_s},
         {"p50_ms", speed.p50_ms},
         {"p99_ms", speed.p99_ms},
         {"calls", speed.calls}});
  return OkStatus();
}

// Answers each line "BATCH CALLERS SECONDS" of the standard input.
Status MeasureOnCommand(Embedder& embedder, std::span<const AlignedFace> faces) {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    Load load;
    if (!(words >> load.batch >> load.callers >> load.seconds) || load.batch < 1 ||
        load.batch > faces.size() || load.callers < 1) {
      return InvalidArgument(fmt::format(
          "\"{}\" is no \"BATCH CALLERS SECONDS\" with a batch of 1 to {}", line, faces.size()));
    }
    FACEGATE_RETURN_IF_ERROR(PrintSpeed(embedder, faces, load));
  }
  return OkStatus();
}

Status Run(Options options) {
  ModelFile model;
  FACEGATE_ASSIGN_OR_RETURN(model, options.model.empty() ? SeededModel(options.architecture)
                                                         : ReadModelFile(options.model));
  const size_t most = *std::max_element(options.batches.begin(), options.batches.end());
  options.embedder.max_batch = static_cast<int>(most);
  const auto started = std::chrono::steady_clock::now();
  FACEGATE_ASSIGN_OR_RETURN(const auto embedder, MakeTorchEmbedder(model, options.embedder));
  const std::chrono::duration<double> loaded = std::chrono::steady_clock::now() - started;
  const auto faces = CanaryFaces(7, static_cast<int>(most), model.card.preprocessing.alignment);
  if (!options.folder.empty()) {
    const auto some = std::span(faces).first(std::min<size_t>(most, 8));
    FACEGATE_RETURN_IF_ERROR(WriteModelAndFaces(*embedder, std::move(model), some, options.folder));
  }
  Print({{"architecture", embedder->card().architecture},
         {"device", embedder->compute().device},
         {"card", embedder->compute().device_name},
         {"precision", embedder->compute().precision},
         {"max_batch", embedder->max_batch()},
         {"load_s", loaded.count()}});
  if (options.on_command) return MeasureOnCommand(*embedder, faces);
  for (const size_t batch : options.batches) {
    for (const size_t callers : options.callers) {
      FACEGATE_RETURN_IF_ERROR(PrintSpeed(
          *embedder, faces, {.batch = batch, .callers = callers, .seconds = options.seconds}));
    }
  }
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times the embedder: a line of JSON about it, then one for each batch size and number of "
      "callers.\n"
      "Example: gpu_embed_bench --architecture iresnet-100 --device cuda:0 --precision bf16");
  auto* architecture = app.add_option("--architecture", options.architecture, "Network")
                           ->check(CLI::IsMember(ArchitectureNames()))
                           ->capture_default_str();
  app.add_option("--model", options.model, "Model file, instead of random weights")
      ->excludes(architecture);
  app.add_option("--device", options.embedder.device, "auto, cpu, cuda:N")->capture_default_str();
  app.add_option("--precision", options.embedder.precision, "auto, fp32, tf32, fp16, bf16")
      ->capture_default_str();
  app.add_option("--batch", options.batches, "Faces of one call")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--callers", options.callers, "Calls at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Time of each measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--write", options.folder,
                 "Write model.safetensors and faces.safetensors into this folder")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--on-command", options.on_command,
               "Measure \"BATCH CALLERS SECONDS\" lines of the standard input, up to the largest "
               "--batch");
  CLI11_PARSE(app, argc, argv);
  return EndBench("gpu_embed_bench", Run(std::move(options)));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  facegate::WaitBrieflyInOpenMp(argv);
  return facegate::Main(argc, argv);
}
