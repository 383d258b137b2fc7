// Times the exact search of the index beside other ways to search, in turns, in the same run; the
// shortest time of each counts. The others: FAISS's flat index as the distribution packages it, a
// plain matrix product with the maximum of each query, and, where FACEGATE_PYTHON names a Python
// with numpy, faiss-cpu and usearch, these libraries as PyPI has them. "One read" is the time for
// reading the codes of all rows once, which no search for one query can beat while they are not in
// the cache.
//
// The vectors are like those of faces, and where FACEGATE_DATA names the folder of test data, those
// of real photos, too (search_faces.h). The whole table takes about half an hour, ten GB of memory
// and two GB of /tmp, on a machine that does nothing else:
//
//   FACEGATE_DATA=… FACEGATE_PYTHON=… build/release/bin/search_bench --json search.json
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/end_bench.h"
#include "tests/bench/search_contenders.h"
#include "tests/bench/search_faces.h"
#include "tests/bench/search_peers.h"

namespace facegate {
namespace {

constexpr size_t kBatches[] = {1, 8, 64};
static_assert(kBatches[2] == kProbes);
constexpr size_t kMatches[] = {1, 10};
constexpr size_t kChecked = 8;  // probes whose answer a full scan tells

struct Options {
  bool is_quick = false;
  std::string json;
  std::vector<size_t> rows;
  std::vector<size_t> threads{1, 2};
  double seconds = 0.6;  // of each contender in each row of the table
  size_t most_in_graphs = 100'000;
};

struct Outcome {
  SearchCase search;
  double ours_ms = 0.0;
  double limit_ms = 0.0;
  std::vector<std::pair<std::string, double>> peers{};
  bool is_exact = false;
  double rescored_share = 0.0;
};

bool AreSame(const Matches& found, const Matches& expected, size_t k) {
  for (size_t q = 0; q < std::min(found.size(), expected.size()); ++q) {
    if (found[q].size() != std::min(k, expected[q].size())) return false;
    for (size_t i = 0; i < found[q].size(); ++i) {
      if (std::bit_cast<uint32_t>(found[q][i].cosine) !=
              std::bit_cast<uint32_t>(expected[q][i].cosine) ||
          found[q][i].template_id != expected[q][i].template_id) {
        return false;
      }
    }
  }
  return true;
}

// All that searches among the same faces with the same number of threads.
class Comparison {
 public:
  // `peers` may be null.
  Comparison(const SearchFaces& faces, size_t threads, SearchPeers* peers)
      : faces_(faces),
        threads_(threads),
        peers_(peers),
        ours_(faces, threads),
        codes_(faces.rows() * (faces.dimension() + 2 * sizeof(float)), 1) {
    SetLibraryThreads(threads);
  }

  StatusOr<Outcome> Run(size_t k, size_t batch, const Matches& expected, double seconds) {
    std::vector<std::span<const float>> queries;
    std::vector<float> joined;
    for (size_t q = 0; q < batch; ++q) {
      queries.emplace_back(faces_.probes()[q]);
      joined.insert(joined.end(), queries.back().begin(), queries.back().end());
    }
    const SearchCase search{.k = k, .batch = batch, .threads = threads_};
    Matches found;
    std::vector<Contender> contenders{
        {.name = "ours", .burst = BurstOf([&] { found = ours_.Search(queries, k); })},
        {.name = "one read", .burst = BurstOf([&] { ReadOnce(codes_, threads_); })},
        {.name = "FAISS flat", .burst = BurstOf([&] { SearchFlat(faces_, joined, k); })},
        {.name = "sgemm and max", .burst = BurstOf([&] { MultiplyAndFindBest(faces_, joined); })}};
    if (peers_ != nullptr) {
      for (Contender& peer : peers_->ContendersOf(search)) contenders.push_back(std::move(peer));
    }
    FACEGATE_RETURN_IF_ERROR(TimeInTurns(contenders, seconds, threads_));
    Outcome outcome{.search = search,
                    .ours_ms = contenders[0].best_ms,
                    .limit_ms = contenders[1].best_ms,
                    .is_exact = AreSame(found, expected, k),
                    .rescored_share = ours_.RescoredShare()};
    for (size_t i = 2; i < contenders.size(); ++i) {
      outcome.peers.emplace_back(contenders[i].name, contenders[i].best_ms);
    }
    return outcome;
  }

 private:
  const SearchFaces& faces_;
  const size_t threads_;
  SearchPeers* const peers_;
  OurSearch ours_;
  const std::vector<char> codes_;  // as much memory as a scan reads
};

// The table as it grows. Ways to search that some faces lack have a dash there.
class Table {
 public:
  void Print(const SearchFaces& faces, const Outcome& outcome) {
    for (const auto& [name, ms] : outcome.peers) {
      if (std::find(columns_.begin(), columns_.end(), name) == columns_.end()) {
        PrintHeadings(outcome);
        break;
      }
    }
    fmt::print("{:>9} {:>6} {:>3} {:>6} {:>8} {:>10.3f} {:>10.3f}", faces.rows(), faces.dimension(),
               outcome.search.k, outcome.search.batch, outcome.search.threads, outcome.ours_ms,
               outcome.limit_ms);
    for (const std::string& column : columns_) {
      const auto peer = std::find_if(outcome.peers.begin(), outcome.peers.end(),
                                     [&](const auto& entry) { return entry.first == column; });
      if (peer == outcome.peers.end()) {
        fmt::print(" {:>18}", "-");
      } else {
        fmt::print(" {:>10.3f} {:>5.1f} x", peer->second, peer->second / outcome.ours_ms);
      }
    }
    fmt::print(" {:>6} {:>10.6f} %\n", outcome.is_exact ? "yes" : "NO",
               100 * outcome.rescored_share);
    std::fflush(stdout);
  }

 private:
  void PrintHeadings(const Outcome& outcome) {
    columns_.clear();
    fmt::print("{:>9} {:>6} {:>3} {:>6} {:>8} {:>10} {:>10}", "rows", "values", "k", "batch",
               "threads", "ours", "one read");
    for (const auto& [name, ms] : outcome.peers) {
      columns_.push_back(name);
      fmt::print(" {:>18}", name);
    }
    fmt::print(" {:>6} {:>12}\n", "exact", "scored again");
  }

  std::vector<std::string> columns_;
};

// What the rows of the table do not say of one set of faces.
std::string NotesOn(const SearchFaces& faces, const SearchPeers* peers) {
  const auto [lowest, highest] = faces.GenuineCosines();
  std::string notes = fmt::format("{} rows of {} values, {}: genuine cosines {:.2f} to {:.2f}\n",
                                  faces.rows(), faces.dimension(), faces.name(), lowest, highest);
  if (peers == nullptr) return notes;
  for (const auto& [name, share] : peers->found()) {
    if (share < 1.0) {
      notes += fmt::format("  {} finds the best template of {:.1f} % of the probes\n", name,
                           100 * share);
    }
  }
  return notes + "  " + peers->description() + "\n";
}

nlohmann::ordered_json JsonOf(const SearchFaces& faces, const Outcome& outcome) {
  nlohmann::ordered_json peers = nlohmann::ordered_json::object();
  for (const auto& [name, ms] : outcome.peers) peers[name] = ms;
  return {{"data", faces.name()},
          {"kernel", OurSearch::Kernel()},
          {"rows", faces.rows()},
          {"dimension", faces.dimension()},
          {"k", outcome.search.k},
          {"batch", outcome.search.batch},
          {"threads", outcome.search.threads},
          {"ours_ms", outcome.ours_ms},
          {"limit_ms", outcome.limit_ms},
          {"peers", peers},
          {"exact", outcome.is_exact},
          {"reranked_share", outcome.rescored_share}};
}

const char* NonEmptyVariable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

class SearchBench {
 public:
  explicit SearchBench(const Options& options)
      : options_(options), python_(NonEmptyVariable("FACEGATE_PYTHON")) {
    if (python_ == nullptr) {
      fmt::print(
          "SKIPPED: faiss-cpu and USearch: name a Python that has them in FACEGATE_PYTHON\n");
    }
  }

  // Adds rows to the table.
  Status Compare(const SearchFaces& faces) {
    std::unique_ptr<SearchPeers> peers;
    if (python_ != nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(
          peers, SearchPeers::Start(python_, faces, faces.rows() <= options_.most_in_graphs));
    }
    notes_ += NotesOn(faces, peers.get());
    const Matches expected = faces.FullScan(kChecked, kMatches[1]);
    for (const size_t threads : options_.threads) {
      Comparison comparison(faces, threads, peers.get());
      for (const size_t k : kMatches) {
        for (const size_t batch : kBatches) {
          FACEGATE_ASSIGN_OR_RETURN(const Outcome outcome,
                                    comparison.Run(k, batch, expected, options_.seconds));
          table_.Print(faces, outcome);
          json_.push_back(JsonOf(faces, outcome));
          is_exact_ = is_exact_ && outcome.is_exact;
        }
      }
    }
    return OkStatus();
  }

  Status End() const {
    fmt::print("{}", notes_);
    if (!options_.json.empty()) {
      std::ofstream file(options_.json);
      file << json_.dump(1) << '\n';
      if (!file.good()) return Internal("cannot write " + options_.json);
    }
    return is_exact_ ? OkStatus() : Internal("an answer is not that of a full scan");
  }

 private:
  const Options options_;
  const char* const python_;  // may be null
  Table table_;
  nlohmann::ordered_json json_ = nlohmann::ordered_json::array();
  std::string notes_;
  bool is_exact_ = true;
};

Status Run(const Options& options) {
  if (!options.json.empty() && !std::ofstream(options.json).good()) {
    return Internal("cannot write " + options.json);
  }
  fmt::print(
      "codes by the kernel {}; times in ms for all queries of a batch, the shortest of each\n",
      OurSearch::Kernel());
  SearchBench bench(options);
  if (const char* const data = NonEmptyVariable("FACEGATE_DATA")) {
    FACEGATE_ASSIGN_OR_RETURN(const SearchFaces faces, ReadSearchFaces(data));
    FACEGATE_RETURN_IF_ERROR(bench.Compare(faces));
  } else {
    fmt::print("SKIPPED: real photos: name the folder of test data in FACEGATE_DATA\n");
  }
  for (const size_t rows : options.rows) {
    FACEGATE_RETURN_IF_ERROR(bench.Compare(MakeSearchFaces(rows)));
  }
  return bench.End();
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app("Times the exact search beside other ways to search");
  app.footer(
      "FACEGATE_DATA names the folder of test data, and FACEGATE_PYTHON a Python with numpy,\n"
      "faiss-cpu and usearch; without them what needs them is left out. The whole table:\n"
      "  FACEGATE_DATA=data FACEGATE_PYTHON=venv/bin/python search_bench --json search.json");
  facegate::Options options;
  app.add_flag("--quick", options.is_quick,
               "To 100,000 rows, less time for each, HNSW to 10,000 rows: under two minutes");
  app.add_option("--json", options.json, "A file for the figures");
  app.add_option("--rows", options.rows, "Instead of 10,000, 100,000 and 1,000,000")
      ->check(CLI::Range(200, 100'000'000));
  app.add_option("--threads", options.threads, "Instead of 1 and 2")->check(CLI::Range(1, 1024));
  app.add_option(
         "--seconds", options.seconds,
         "That each way to search takes in each row of the table, instead of 0.6 (--quick: 0.06)")
      ->check(CLI::Range(0.001, 1000.0));
  CLI11_PARSE(app, argc, argv);
  if (options.rows.empty()) {
    options.rows = {10'000, 100'000};
    if (!options.is_quick) options.rows.push_back(1'000'000);
  }
  if (options.is_quick) options.most_in_graphs = 10'000;
  if (options.seconds == 0.0) options.seconds = options.is_quick ? 0.06 : 0.6;
  return facegate::EndBench("search_bench", facegate::Run(options));
}
