// Forward passes of the embedder: milliseconds for each batch size and number of threads, with
// seeded random weights.
//
//   embed_bench [--architecture NAME]... [--threads N]... [--batch N]... [--seconds S]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "face/base/openmp.h"
#include "face/model/architecture.h"
#include "face/model/canary.h"
#include "face/model/torch_embedder.h"

namespace facegate {
namespace {

struct Options {
  std::vector<std::string> architectures = {"mobilefacenet-128", "iresnet-50"};
  std::vector<int> threads = {1, 2};
  std::vector<int> batches = {1, 8, 32};
  double seconds = 3.0;  // of each measurement
};

struct Timing {
  double minimum_ms = 0.0;
  double median_ms = 0.0;
  size_t rounds = 0;
};

StatusOr<Timing> Measure(Embedder& embedder, std::span<const AlignedFace> faces, double seconds) {
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

StatusOr<std::unique_ptr<Embedder>> MakeEmbedder(const std::string& architecture, int threads,
                                                 int max_batch) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(architecture, 1));
  FACEGATE_ASSIGN_OR_RETURN(file.card.embedding_size, EmbeddingSizeOf(architecture));
  file.card.architecture = architecture;
  return MakeTorchEmbedder(
      std::move(file),
      {.threads = threads, .max_batch = max_batch, .device = "cpu", .run_canary = false});
}

Status Run(const Options& options) {
  const int max_batch = *std::max_element(options.batches.begin(), options.batches.end());
  fmt::print("{:<20}{:>8}{:>7}{:>12}{:>12}{:>12}\n", "network", "threads", "batch", "min ms",
             "median ms", "faces/s");
  for (const std::string& architecture : options.architectures) {
    for (const int threads : options.threads) {
      FACEGATE_ASSIGN_OR_RETURN(const auto embedder,
                                MakeEmbedder(architecture, threads, max_batch));
      for (const int batch : options.batches) {
        const auto faces = CanaryFaces(7, batch, AlignmentTemplate::kArcFace112);
        FACEGATE_ASSIGN_OR_RETURN(const Timing timing, Measure(*embedder, faces, options.seconds));
        fmt::print("{:<20}{:>8}{:>7}{:>12.2f}{:>12.2f}{:>12.1f}\n", architecture, threads, batch,
                   timing.minimum_ms, timing.median_ms, 1e3 * batch / timing.median_ms);
        std::fflush(stdout);
      }
    }
  }
  return OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Times forward passes of the embedder.");
  app.add_option("--architecture", options.architectures)
      ->check(CLI::IsMember(ArchitectureNames()))
      ->capture_default_str();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--batch", options.batches)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--seconds", options.seconds)
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const Status status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "embed_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  facegate::WaitBrieflyInOpenMp(argv);
  return facegate::Main(argc, argv);
}
