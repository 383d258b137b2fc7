// Measures what the gallery costs on this machine's disk and memory: enrolment with sync at 1 and 8
// threads, search among 10,000 and 100,000 templates of 512 values, and the rebuilding of the
// index.

#include <benchmark/benchmark.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "face/base/log.h"
#include "index/local/local_gallery.h"
#include "tests/support/random_embedding.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

constexpr int kSize = 512;
constexpr char kCollection[] = "people";

ModelKey BenchModel() {
  return {.model_digest = std::string(64, 'a'), .preprocessing_digest = std::string(64, 'b')};
}

// A gallery of `identities` people with one template each, filled by many threads.
struct Filled {
  explicit Filled(size_t identities) {
    SetLogLevel(LogLevel::kWarning);
    Open();
    FACEGATE_CHECK(gallery->CreateCollection(kCollection, BenchModel(), kSize, {}).ok());
    std::vector<std::jthread> threads;
    constexpr size_t kWriters = 32;
    for (size_t t = 0; t < kWriters; ++t) {
      threads.emplace_back([this, t, identities] {
        std::mt19937_64 random(t);
        for (size_t i = t; i < identities; i += kWriters) Enrol(std::to_string(i), random);
      });
    }
  }
  void Open() {
    gallery.reset();
    auto opened = OpenLocalGallery({.directory = dir.File("store")}, Clock::System());
    FACEGATE_CHECK(opened.ok());
    gallery = *std::move(opened);
  }
  void Enrol(const std::string& identity, std::mt19937_64& random) {
    const std::vector<NewTemplate> one{
        {.embedding = RandomEmbedding(random, kSize), .detector = "none", .detection_score = 0.0f}};
    FACEGATE_CHECK(gallery->Enrol(kCollection, identity, BenchModel(), one, {}).ok());
  }

  TempDir dir;
  std::unique_ptr<GalleryBackend> gallery;
};

// One gallery of each size for all benchmarks; made while one thread is at work.
Filled& FilledWith(size_t identities) {
  static std::map<size_t, std::unique_ptr<Filled>> galleries;
  std::unique_ptr<Filled>& filled = galleries[identities];
  if (filled == nullptr) filled = std::make_unique<Filled>(identities);
  return *filled;
}

void BM_Enrol(benchmark::State& state) {
  static std::unique_ptr<Filled> filled;
  static std::atomic<uint64_t> next;
  if (state.thread_index() == 0) filled = std::make_unique<Filled>(0);
  std::mt19937_64 random(static_cast<uint64_t>(state.thread_index()));
  for (auto _ : state) filled->Enrol("new-" + std::to_string(next++), random);
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) filled.reset();
}
BENCHMARK(BM_Enrol)->Threads(1)->Threads(8)->UseRealTime();

void BM_Search(benchmark::State& state) {
  const Filled& filled = FilledWith(static_cast<size_t>(state.range(0)));
  std::mt19937_64 random(1);
  const Embedding query = RandomEmbedding(random, kSize);
  const auto k = static_cast<size_t>(state.range(1));
  for (auto _ : state) {
    const auto found = filled.gallery->Search(kCollection, BenchModel(), query, {.k = k});
    FACEGATE_CHECK(found.ok() && found->size() == k);
  }
}
BENCHMARK(BM_Search)
    ->Args({10'000, 1})
    ->Args({10'000, 10})
    ->Args({100'000, 1})
    ->Args({100'000, 10})
    ->Args({100'000, 1000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_Open(benchmark::State& state) {
  Filled& filled = FilledWith(static_cast<size_t>(state.range(0)));
  for (auto _ : state) filled.Open();
}
BENCHMARK(BM_Open)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace facegate

BENCHMARK_MAIN();
