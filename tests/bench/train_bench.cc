// Whole training steps: milliseconds for each batch size and number of threads, on random pictures.
// compare_pytorch.py sets them beside PyTorch's.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "face/base/openmp.h"
#include "face/network/architecture.h"
#include "face/torch/find_cuda.h"
#include "tests/bench/end_bench.h"
#include "trainer/timing/step_timing.h"

namespace facegate {
namespace {

struct Options {
  std::string architecture = "mobilefacenet-128";
  std::vector<int> threads = {1, 2};
  std::vector<int64_t> batches = {64};
  int64_t classes = 1000;
  double seconds = 5.0;  // of each measurement
  bool stock = false;    // LibTorch's own operators
  std::string device = "cpu";
  std::string precision = "fp32";
  bool no_graph = false;
  bool on_command = false;  // else print a table
};

const std::map<std::string, Precision>& Precisions() {
  static const std::map<std::string, Precision> all = {{"fp32", Precision::kFp32},
                                                       {"tf32", Precision::kTf32},
                                                       {"bf16", Precision::kBf16},
                                                       {"fp16", Precision::kFp16}};
  return all;
}

StatusOr<std::unique_ptr<StepTimer>> MakeTimer(const Options& options, int threads, int64_t batch) {
  FACEGATE_ASSIGN_OR_RETURN(const Device device, ChooseDevice(options.device, FindCuda()));
  return StepTimer::Create({.architecture = options.architecture,
                            .batch = batch,
                            .classes = options.classes,
                            .threads = threads,
                            .fused = !options.stock,
                            .device = device,
                            .precision = Precisions().at(options.precision),
                            .cuda_graph = !options.no_graph});
}

Status PrintTable(const Options& options) {
  fmt::print("{:<20}{:>8}{:>7}{:>12}{:>13}{:>9}\n", "network", "threads", "batch", "median ms",
             "pictures/s", "waited");
  for (const int threads : options.threads) {
    for (const int64_t batch : options.batches) {
      FACEGATE_ASSIGN_OR_RETURN(const auto timer, MakeTimer(options, threads, batch));
      FACEGATE_ASSIGN_OR_RETURN(const StepTimes times, timer->MeasureSteps(options.seconds));
      fmt::print("{:<20}{:>8}{:>7}{:>12.2f}{:>13.1f}{:>8.1f}%\n", options.architecture, threads,
                 batch, times.step, 1e3 * static_cast<double>(batch) / times.step,
                 100.0 * times.waited);
      std::fflush(stdout);
    }
  }
  return OkStatus();
}

// Says "ready" and the number of trained parameters, then answers each line "SECONDS" with the
// median of milliseconds.
Status MeasureOnCommand(const Options& options) {
  if (options.threads.size() != 1 || options.batches.size() != 1) {
    return InvalidArgument("--on-command takes one --threads and one --batch");
  }
  FACEGATE_ASSIGN_OR_RETURN(const auto timer,
                            MakeTimer(options, options.threads.front(), options.batches.front()));
  fmt::print("ready {}\n", timer->parameters());
  std::fflush(stdout);
  double seconds = 0.0;
  while (std::cin >> seconds) {
    FACEGATE_ASSIGN_OR_RETURN(const StepTimes times, timer->MeasureSteps(seconds));
    fmt::print("{:.3f}\n", times.step);
    std::fflush(stdout);
  }
  return std::cin.eof() ? OkStatus() : InvalidArgument("expected lines of SECONDS");
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times whole training steps: forward, ArcFace loss, backward, update.\n"
      "Example: train_bench --architecture mobilefacenet-128 --threads 2 --batch 64");
  app.add_option("--architecture", options.architecture, "Network")
      ->check(CLI::IsMember(ArchitectureNames()))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of a step")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--batch", options.batches, "Pictures of a step")
      ->check(CLI::Range(2, 4096))
      ->capture_default_str();
  app.add_option("--classes", options.classes, "Classes of the head")
      ->check(CLI::Range(2, 10'000'000))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Time of each measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--device", options.device, "auto, cpu or cuda:N")->capture_default_str();
  app.add_option("--precision", options.precision, "What the backbone computes in")
      ->check(CLI::IsMember(Precisions()))
      ->capture_default_str();
  app.add_flag("--no-graph", options.no_graph, "On a card: do not record the step");
  app.add_flag("--stock", options.stock, "With LibTorch's own operators");
  app.add_flag("--on-command", options.on_command,
               "Measure the SECONDS of each line of the standard input (for compare_pytorch.py)");
  CLI11_PARSE(app, argc, argv);
  return EndBench("train_bench",
                  options.on_command ? MeasureOnCommand(options) : PrintTable(options));
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  facegate::WaitBrieflyInOpenMp(argv);
  return facegate::Main(argc, argv);
}
