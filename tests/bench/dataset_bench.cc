// Measures how fast photos for training are read: dataset_bench faces/ faces.pack [--threads N].
// Each form named is read once before it is timed, so that all lie in the system's memory.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/random.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string list_root;
  int threads = 1;
  int rounds = 3;
};

// Photos a second; the best of the rounds.
template <typename Read>
double Rate(const std::vector<size_t>& order, const Options& options, const Read& read) {
  double best = 0.0;
  for (int round = 0; round < options.rounds; ++round) {
    std::atomic<size_t> next = 0;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<size_t>(options.threads));
    for (int t = 0; t < options.threads; ++t) {
      threads.emplace_back([&] {
        for (size_t i = next++; i < order.size(); i = next++) read(order[i]);
      });
    }
    threads.clear();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(order.size()) / seconds.count());
  }
  return best;
}

Status Bench(const std::string& path, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  FACEGATE_ASSIGN_OR_RETURN(const auto source, OpenPhotoSource(path, options.list_root));
  const std::chrono::duration<double> opening = std::chrono::steady_clock::now() - start;
  FACEGATE_ASSIGN_OR_RETURN(const auto dataset, OpenDataset(path, options.list_root));
  std::vector<size_t> order(source->size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<size_t> shuffled = order;
  RandomStream random(1);
  for (size_t i = shuffled.size(); i > 1; --i) {
    std::swap(shuffled[i - 1], shuffled[random.Below(i)]);
  }
  std::atomic<size_t> failed = 0;
  const auto bytes = [&](size_t i) { failed += source->Read(i).ok() ? 0 : 1; };
  const auto pixels = [&](size_t i) { failed += dataset->Load(i).ok() ? 0 : 1; };
  Options once = options;
  once.rounds = 1;
  Rate(order, once, bytes);
  fmt::print("{}: {} photos, {} threads\n", path, source->size(), options.threads);
  fmt::print("  opening             {:>10.1f} ms\n", 1e3 * opening.count());
  fmt::print("  bytes, in order     {:>10.0f} photos/s\n", Rate(order, options, bytes));
  fmt::print("  bytes, at random    {:>10.0f} photos/s\n", Rate(shuffled, options, bytes));
  fmt::print("  decoded, at random  {:>10.0f} photos/s\n", Rate(shuffled, options, pixels));
  if (failed > 0) return InvalidArgument(fmt::format("{}: {} reads failed", path, failed.load()));
  return OkStatus();
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Times reading of photos for training from folders, lists and packs");
  facegate::Options options;
  app.add_option("PATH", options.paths, "Folders, lists or packs")->required();
  app.add_option("--list-root", options.list_root, "Folder that paths in lists are relative to");
  app.add_option("--threads", options.threads, "That read")->check(CLI::Range(1, 256));
  app.add_option("--rounds", options.rounds, "The best of so many")->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  for (const std::string& path : options.paths) {
    if (const facegate::Status status = facegate::Bench(path, options); !status.ok()) {
      fmt::print(stderr, "dataset_bench: {}\n", facegate::MessageOf(status));
      return 1;
    }
  }
  return 0;
}
