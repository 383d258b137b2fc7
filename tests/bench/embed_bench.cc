// Forward passes of the embedder: milliseconds for each batch size and number of threads, with
// seeded random weights. compare_onnxruntime.py sets them beside ONNX Runtime's.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "face/base/openmp.h"
#include "face/embed/canary.h"
#include "face/network/architecture.h"
#include "tests/bench/embed_on_command.h"
#include "tests/bench/embed_timing.h"
#include "tests/bench/end_bench.h"

namespace facegate {
namespace {

struct Options {
  std::vector<std::string> architectures = {"mobilefacenet-128", "iresnet-50"};
  std::vector<int> threads = {1, 2};
  std::vector<int> batches = {1, 8, 32};
  double seconds = 3.0;  // of each measurement
  std::string folder{};  // empty: print a table
};

Status PrintTable(const Options& options, int max_batch) {
  fmt::print("{:<20}{:>8}{:>7}{:>12}{:>12}{:>12}\n", "network", "threads", "batch", "min ms",
             "median ms", "faces/s");
  for (const std::string& architecture : options.architectures) {
    for (const int threads : options.threads) {
      FACEGATE_ASSIGN_OR_RETURN(
          const auto embedder,
          MakeRandomEmbedder(
              {.architecture = architecture, .threads = threads, .max_batch = max_batch}));
      for (const int batch : options.batches) {
        const auto faces = CanaryFaces(7, batch, AlignmentTemplate::kArcFace112);
        FACEGATE_ASSIGN_OR_RETURN(const Timing timing,
                                  MeasureEmbed(*embedder, faces, options.seconds));
        fmt::print("{:<20}{:>8}{:>7}{:>12.2f}{:>12.2f}{:>12.1f}\n", architecture, threads, batch,
                   timing.minimum_ms, timing.median_ms, 1e3 * batch / timing.median_ms);
        std::fflush(stdout);
      }
    }
  }
  return OkStatus();
}

Status Run(const Options& options) {
  const int max_batch = *std::max_element(options.batches.begin(), options.batches.end());
  if (options.folder.empty()) return PrintTable(options, max_batch);
  if (options.architectures.size() != 1 || options.threads.size() != 1) {
    return InvalidArgument("--on-command takes one --architecture and one --threads");
  }
  return EmbedOnCommand({.architecture = options.architectures.front(),
                         .threads = options.threads.front(),
                         .max_batch = max_batch},
                        options.folder);
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times forward passes of the embedder.\n"
      "Example: embed_bench --architecture mobilefacenet-128 --threads 1 --batch 1 8");
  app.add_option("--architecture", options.architectures, "Networks")
      ->check(CLI::IsMember(ArchitectureNames()))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of one forward pass")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--batch", options.batches, "Faces of one call")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Time of each measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--on-command", options.folder,
                 "Write the model and faces into this folder, then measure \"BATCH SECONDS\" lines "
                 "of the standard input (for compare_onnxruntime.py)")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  return EndBench("embed_bench", Run(options));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  facegate::WaitBrieflyInOpenMp(argv);
  return facegate::Main(argc, argv);
}
