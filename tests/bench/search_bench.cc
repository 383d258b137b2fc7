// Times the exact search of the index beside FAISS's flat index as the distribution packages it and
// beside a plain matrix product, and beside one read of the codes, which no search can beat. The
// vectors are like those of faces: people around centres, and probes at cosines of 0.4 to 0.9 with
// the templates of their person. Everything is timed in turn, in one process; the shortest time of
// each counts.
//
//   search_bench [--quick] [--json FILE]
#include <faiss/IndexFlat.h>
#include <fmt/format.h>
#include <omp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/base/embedding.h"
#include "index/rows/exact_index.h"
#include "index/rows/score_bounds.h"
#include "tests/bench/end_bench.h"

// OpenBLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace facegate {
namespace {

using std::chrono::steady_clock;
using Matches = std::vector<std::vector<IndexMatch>>;

constexpr size_t kSize = 512;
constexpr size_t kBatches[] = {1, 8, 64};
constexpr size_t kQueries = 64;
constexpr size_t kChecked = 4;  // queries whose answer a full scan tells
constexpr size_t kMostMatches = 10;
constexpr size_t kTemplatesOfPerson = 2;

struct Options {
  bool is_quick = false;
  std::string json;
  std::vector<size_t> rows;
  std::vector<size_t> threads{1, 2};
  double seconds = 1.0;  // that each comparison takes, at least
};

struct Outcome {
  size_t rows = 0;
  size_t k = 0;
  size_t batch = 0;
  size_t threads = 0;
  double ours_ms = 0.0;
  double limit_ms = 0.0;
  std::map<std::string, double> peers{};
  bool is_exact = false;
  double rescored_share = 0.0;
};

std::vector<float> NearUnit(std::mt19937_64& random, std::span<const float> centre, float spread) {
  std::normal_distribution<float> normal(0.0f, spread / std::sqrt(static_cast<float>(kSize)));
  std::vector<float> values(centre.begin(), centre.end());
  for (float& value : values) value += normal(random);
  const auto unit = Embedding::Normalize(values);
  FACEGATE_CHECK(unit.ok());
  return {unit->values().begin(), unit->values().end()};
}

// Templates of the first people, in a flat index of FAISS, and probes of some of them.
class Faces {
 public:
  explicit Faces(size_t rows) : flat_(kSize) {
    std::mt19937_64 random(20220901);
    const std::vector<float> nobody(kSize, 0.0f);
    std::vector<float> centre;
    flat_.codes.reserve(rows * flat_.code_size);
    for (size_t row = 0; row < rows; ++row) {
      if (row % kTemplatesOfPerson == 0) centre = NearUnit(random, nobody, 1.0f);
      flat_.add(1, NearUnit(random, centre, 0.7f).data());
      if (row % kTemplatesOfPerson == 0 && probes_.size() < kQueries) {
        const float spread = 0.3f + 0.02f * static_cast<float>(probes_.size());
        probes_.push_back(NearUnit(random, centre, spread));
      }
    }
  }
  const float* RowAt(size_t row) const { return flat_.get_xb() + row * kSize; }
  const std::vector<std::vector<float>>& probes() const { return probes_; }

 private:
  faiss::IndexFlatIP flat_;
  std::vector<std::vector<float>> probes_;
};

uint64_t PersonOf(size_t row) { return row / kTemplatesOfPerson + 1; }

Matches FullScan(const Faces& faces, size_t rows, size_t k) {
  Matches answers;
  for (size_t q = 0; q < kChecked; ++q) {
    std::vector<IndexMatch> best;
    for (size_t row = 0; row < rows; ++row) {
      const IndexMatch match{.group = PersonOf(row),
                             .template_id = row + 1,
                             .cosine = CosineScore(faces.probes()[q], {faces.RowAt(row), kSize})};
      if (best.empty() || best.back().group != match.group) {
        best.push_back(match);
      } else if (match.cosine > best.back().cosine) {
        best.back() = match;
      }
    }
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(k), best.end(),
                      [](const IndexMatch& a, const IndexMatch& b) {
                        return a.cosine != b.cosine ? a.cosine > b.cosine
                                                    : a.template_id < b.template_id;
                      });
    best.resize(k);
    answers.push_back(std::move(best));
  }
  return answers;
}

bool AreSame(const Matches& found, const Matches& expected, size_t k) {
  for (size_t q = 0; q < std::min(found.size(), expected.size()); ++q) {
    if (found[q].size() != k) return false;
    for (size_t i = 0; i < k; ++i) {
      if (std::memcmp(&found[q][i].cosine, &expected[q][i].cosine, sizeof(float)) != 0)
        return false;
      if (found[q][i].template_id != expected[q][i].template_id) return false;
    }
  }
  return true;
}

uint64_t SumOf(std::span<const uint64_t> words) {
  constexpr size_t kLanes = 16;
  uint64_t sums[kLanes] = {};
  for (size_t i = 0; i + kLanes <= words.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t sum = 0;
  for (const uint64_t of_lane : sums) sum += of_lane;
  return sum;
}

// Reads memory once, as much to each thread.
void ReadOnce(std::span<const uint64_t> words, size_t threads) {
  std::vector<uint64_t> sums(threads);
  std::vector<std::jthread> others;
  const size_t share = words.size() / threads;
  for (size_t t = 1; t < threads; ++t) {
    others.emplace_back([&, t] { sums[t] = SumOf(words.subspan(t * share, share)); });
  }
  sums[0] = SumOf(words.first(share));
  others.clear();
  volatile uint64_t sink = sums[0];
  static_cast<void>(sink);
}

void MultiplyAndFindBest(const Faces& faces, size_t rows, std::span<const float> queries,
                         size_t batch) {
  constexpr size_t kAtOnce = 4096;
  constexpr float kOne = 1.0f;
  constexpr float kZero = 0.0f;
  std::vector<float> scores(kAtOnce * batch);
  std::vector<float> best(batch, -2.0f);
  const auto size = static_cast<int>(kSize);
  const auto columns = static_cast<int>(batch);
  for (size_t begin = 0; begin < rows; begin += kAtOnce) {
    const auto some = static_cast<int>(std::min(kAtOnce, rows - begin));
    ::sgemm_("T", "N", &some, &columns, &size, &kOne, faces.RowAt(begin), &size, queries.data(),
             &size, &kZero, scores.data(), &some);
    for (size_t q = 0; q < batch; ++q) {
      const float* const of_query = scores.data() + q * static_cast<size_t>(some);
      best[q] = std::max(best[q], *std::max_element(of_query, of_query + some));
    }
  }
  volatile float sink = best[0];
  static_cast<void>(sink);
}

struct Contender {
  std::string name;
  std::function<void()> work;
  double best_ms = 1e300;
};

// In turns, so that what else the machine does meets all.
void TimeInTurns(std::vector<Contender>& contenders, double seconds) {
  const auto start = steady_clock::now();
  constexpr int kLeastRounds = 3;
  for (int round = 0;; ++round) {
    const std::chrono::duration<double> taken = steady_clock::now() - start;
    if (round >= kLeastRounds && taken.count() > seconds) return;
    for (Contender& contender : contenders) {
      const auto begin = steady_clock::now();
      contender.work();
      const std::chrono::duration<double, std::milli> ms = steady_clock::now() - begin;
      contender.best_ms = std::min(contender.best_ms, ms.count());
    }
  }
}

// The indexes of the first rows of `faces`, and what they are compared with.
class Comparison {
 public:
  Comparison(const Faces& faces, size_t rows, size_t threads)
      : faces_(faces),
        rows_(rows),
        threads_(threads),
        ours_(MakeExactIndex(kSize, {.threads = threads})),
        flat_(kSize),
        words_(rows * (kSize + 2 * sizeof(float)) / sizeof(uint64_t), 1) {
    FACEGATE_CHECK(ours_->Reserve(rows).ok());
    for (size_t row = 0; row < rows; ++row) {
      ours_->Add(PersonOf(row), row + 1, {faces.RowAt(row), kSize});
    }
    flat_.add(static_cast<faiss::Index::idx_t>(rows), faces.RowAt(0));
    omp_set_num_threads(static_cast<int>(threads));
    if (openblas_set_num_threads != nullptr) openblas_set_num_threads(static_cast<int>(threads));
  }

  Outcome Run(size_t k, size_t batch, const Matches& expected, double seconds) const {
    std::vector<std::span<const float>> queries;
    std::vector<float> joined;
    for (size_t q = 0; q < batch; ++q) {
      queries.emplace_back(faces_.probes()[q]);
      joined.insert(joined.end(), queries.back().begin(), queries.back().end());
    }
    Matches found;
    std::vector<float> scores(batch * k);
    std::vector<faiss::Index::idx_t> labels(batch * k);
    std::vector<Contender> contenders{
        {.name = "ours", .work = [&] { found = *ours_->Search(queries, k); }},
        {.name = "limit", .work = [&] { ReadOnce(words_, threads_); }},
        {.name = "faiss flat",
         .work =
             [&] {
               flat_.search(static_cast<faiss::Index::idx_t>(batch), joined.data(),
                            static_cast<faiss::Index::idx_t>(k), scores.data(), labels.data());
             }},
        {.name = "sgemm and max",
         .work = [&] { MultiplyAndFindBest(faces_, rows_, joined, batch); }}};
    const SearchCounts before = ours_->counts();
    TimeInTurns(contenders, seconds);
    const SearchCounts after = ours_->counts();
    return {.rows = rows_,
            .k = k,
            .batch = batch,
            .threads = threads_,
            .ours_ms = contenders[0].best_ms,
            .limit_ms = contenders[1].best_ms,
            .peers = {{contenders[2].name, contenders[2].best_ms},
                      {contenders[3].name, contenders[3].best_ms}},
            .is_exact = AreSame(found, expected, k),
            .rescored_share = static_cast<double>(after.rescored - before.rescored) /
                              static_cast<double>(after.scanned - before.scanned)};
  }

 private:
  const Faces& faces_;
  const size_t rows_;
  const size_t threads_;
  const std::unique_ptr<VectorIndex> ours_;
  faiss::IndexFlatIP flat_;
  const std::vector<uint64_t> words_;
};

void Print(const Outcome& outcome) {
  fmt::print("{:>9} {:>3} {:>6} {:>8} {:>10.3f} {:>10.3f}", outcome.rows, outcome.k, outcome.batch,
             outcome.threads, outcome.ours_ms, outcome.limit_ms);
  for (const auto& [name, ms] : outcome.peers) {
    fmt::print(" {:>12.3f} ({:>5.1f} x)", ms, ms / outcome.ours_ms);
  }
  fmt::print(" {:>6} {:>10.6f} %\n", outcome.is_exact ? "yes" : "NO", 100 * outcome.rescored_share);
  std::fflush(stdout);
}

std::string JsonOf(const Outcome& outcome) {
  std::string peers;
  for (const auto& [name, ms] : outcome.peers) {
    peers += fmt::format("{}\"{}\": {:.4f}", peers.empty() ? "" : ", ", name, ms);
  }
  return fmt::format(
      "{{\"rows\": {}, \"dimension\": {}, \"k\": {}, \"batch\": {}, \"threads\": {}, "
      "\"ours_ms\": {:.4f}, \"limit_ms\": {:.4f}, \"peers\": {{{}}}, \"exact\": {}, "
      "\"reranked_share\": {:.8f}}}",
      outcome.rows, kSize, outcome.k, outcome.batch, outcome.threads, outcome.ours_ms,
      outcome.limit_ms, peers, outcome.is_exact, outcome.rescored_share);
}

Status WriteJson(const std::vector<Outcome>& outcomes, const std::string& path) {
  std::ofstream file(path);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    file << (i == 0 ? "[" : ",\n ") << JsonOf(outcomes[i]);
  }
  file << "]\n";
  return file.good() ? OkStatus() : Internal("cannot write " + path);
}

Status Run(const Options& options) {
  const Faces faces(*std::max_element(options.rows.begin(), options.rows.end()));
  const CodeKernel& kernel = UsableCodeKernels().front();
  fmt::print(
      "{} values, codes by {}; times in ms for all queries of a batch, the shortest of each\n",
      kSize, kernel.name);
  fmt::print("{:>9} {:>3} {:>6} {:>8} {:>10} {:>10} {:>22} {:>22} {:>6} {:>12}\n", "rows", "k",
             "batch", "threads", "ours", "one read", "FAISS flat", "sgemm and max", "exact",
             "scored again");
  std::vector<Outcome> outcomes;
  for (const size_t rows : options.rows) {
    const Matches expected = FullScan(faces, rows, kMostMatches);
    for (const size_t threads : options.threads) {
      const Comparison comparison(faces, rows, threads);
      for (const size_t k : {size_t{1}, kMostMatches}) {
        for (const size_t batch : kBatches) {
          outcomes.push_back(comparison.Run(k, batch, expected, options.seconds));
          Print(outcomes.back());
        }
      }
    }
  }
  const bool are_exact = std::all_of(outcomes.begin(), outcomes.end(),
                                     [](const Outcome& outcome) { return outcome.is_exact; });
  if (!options.json.empty()) FACEGATE_RETURN_IF_ERROR(WriteJson(outcomes, options.json));
  return are_exact ? OkStatus() : Internal("an answer is not that of a full scan");
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Times the exact search beside other ways to search");
  facegate::Options options;
  app.add_flag("--quick", options.is_quick, "At most 100,000 rows, and less time for each");
  app.add_option("--json", options.json, "A file for the figures");
  app.add_option("--rows", options.rows, "Instead of 10,000, 100,000 and 1,000,000")
      ->check(CLI::Range(200, 100'000'000));
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  if (options.rows.empty()) {
    options.rows = {10'000, 100'000};
    if (!options.is_quick) options.rows.push_back(1'000'000);
  }
  if (options.is_quick) options.seconds = 0.3;
  return facegate::EndBench("search_bench", facegate::Run(options));
}
